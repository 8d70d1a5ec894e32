"""JAX's loop over time as an ONNX Scan."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from rnnzoo.export.onnx_graph.graph import Graph, Name, Pair, is_symbol
from rnnzoo.export.onnx_graph.rules import onnx_type, rule
from rnnzoo.export.primitives import Refused
from rnnzoo.jaxprs import closed_jaxpr


def _flat(value: Any, aval: Any) -> list[Any]:
    """A value as real tensors: two of a complex one."""
    if not jnp.iscomplexobj(aval):
        return [value]
    if isinstance(value, Pair):
        return [value.re, value.im]
    value = np.asarray(value, np.complex64)
    return [np.asarray(value.real), np.asarray(value.imag)]


def _inputs(g: Graph, aval: Any) -> tuple[Any, list[Any]]:
    """A new input of a graph: the value, and ONNX's descriptions of its tensors."""
    from onnx import helper

    count = 2 if jnp.iscomplexobj(aval) else 1
    dtype = np.float32 if count == 2 else aval.dtype
    names = [g.weights.fresh("v") for _ in range(count)]
    shape = [str(n) if is_symbol(n) else int(n) for n in aval.shape]
    infos = [helper.make_tensor_value_info(n, onnx_type(dtype), shape) for n in names]
    value = Name(names[0]) if count == 1 else Pair(Name(names[0]), Name(names[1]))
    return value, infos


def _outputs(g: Graph, value: Any, aval: Any) -> list[Any]:
    """ONNX's descriptions of a value as outputs of a graph, which nodes of the graph itself have to make."""
    from onnx import helper

    dtype = np.float32 if jnp.iscomplexobj(aval) else aval.dtype
    reals = [np.asarray(a, dtype) if isinstance(a, np.ndarray) else a for a in _flat(value, aval)]
    names = [g.node("Identity", [a]).text for a in reals]
    shape = [str(n) if is_symbol(n) else int(n) for n in aval.shape]
    return [helper.make_tensor_value_info(n, onnx_type(dtype), shape) for n in names]


def _alike(outside: Any, inside: Any) -> int:
    """How many variables are in a loop as they are around it, and not one step of it. (What JAX calls the numbers of
    them differs by version.)"""
    return sum(len(a.aval.shape) == len(b.aval.shape) for a, b in zip(outside, inside, strict=True))


@rule
def scan(g, eqn, args):
    """Constants of the loop are seen by its body as they are; carries come first, then what is read step by step."""
    from onnx import helper

    closed = closed_jaxpr(eqn.params["jaxpr"])
    carries, count = _alike(eqn.outvars, closed.jaxpr.outvars), len(eqn.invars)
    consts = _alike(eqn.invars, closed.jaxpr.invars) - carries
    if consts + carries == count:
        raise Refused("has no inputs")
    body = Graph(g.weights, g.dims, g.rules)
    made = [_inputs(body, v.aval) for v in closed.jaxpr.invars[consts:]]
    results = body.run(closed.jaxpr, closed.consts, [*args[:consts], *(value for value, _ in made)])
    pairs = zip(closed.jaxpr.outvars, results, strict=True)
    outputs = [info for variable, value in pairs for info in _outputs(body, value, variable.aval)]
    inputs = [info for _, infos in made for info in infos]
    nodes, _ = body.live([info.name for info in outputs])
    given = [(a, v.aval) for a, v in zip(args[consts:], eqn.invars[consts:], strict=True)]
    flat = [real for value, aval in given for real in _flat(value, aval)]
    scanned = sum(len(infos) for _, infos in made[carries:])
    written = len(outputs) - (len(inputs) - scanned)
    backward = int(eqn.params["reverse"])
    found = g.node(
        "Scan",
        flat,
        len(outputs),
        body=helper.make_graph(nodes, g.weights.fresh("body"), inputs, outputs),
        num_scan_inputs=scanned,
        scan_input_directions=[backward] * scanned,
        scan_output_directions=[backward] * written,
    )
    tensors = iter(found if isinstance(found, list) else [found])
    return [Pair(next(tensors), next(tensors)) if jnp.iscomplexobj(v.aval) else next(tensors) for v in eqn.outvars]


__all__ = ["scan"]
