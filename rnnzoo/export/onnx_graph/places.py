"""JAX's operations that read or write at places as ONNX operators."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.export.onnx_graph.graph import Graph, is_symbol
from rnnzoo.export.onnx_graph.products import transposed
from rnnzoo.export.onnx_graph.rules import RULES, each_part, onnx_type, rule
from rnnzoo.export.onnx_graph.shapes import with_axes
from rnnzoo.export.primitives import Refused


def _one_lane(aval: Any) -> jax.ShapeDtypeStruct:
    """A shape with 1 in place of the symbols."""
    return jax.ShapeDtypeStruct([1 if is_symbol(n) else n for n in aval.shape], jnp.float32)


def _lanes_first(g: Graph, value: Any, shape: Any) -> tuple[Any, list[int]]:
    """A value as (symbols ..., everything else in one axis), and the order of axes that this is."""
    symbols = [k for k, n in enumerate(shape) if is_symbol(n)]
    order = symbols + [k for k in range(len(shape)) if k not in symbols]
    value = transposed(g, value, order)
    sizes = [shape[k] for k in order]
    if len(sizes) != len(symbols) + 1:
        value = g.node("Reshape", [value, g.shape([*sizes[: len(symbols)], int(np.prod(sizes[len(symbols) :]))])])
    return value, order


def _back(g: Graph, value: Any, shape: Any) -> Any:
    """The inverse of `_lanes_first`."""
    symbols = [k for k, n in enumerate(shape) if is_symbol(n)]
    order = symbols + [k for k in range(len(shape)) if k not in symbols]
    if len(order) != len(symbols) + 1:
        value = g.node("Reshape", [value, g.shape([shape[k] for k in order])])
    return transposed(g, value, [order.index(k) for k in range(len(order))])


def _symbols(shape: Any) -> list[str]:
    return [str(n) for n in shape if is_symbol(n)]


def _constant_places(g: Graph, eqn: Any, args: list[Any]) -> Any:
    """Entries at constant places, found by applying the operation to the entries' numbers, of one lane."""
    source, result = eqn.invars[0].aval, eqn.outvars[0].aval
    if _symbols(source.shape) != _symbols(result.shape):
        raise Refused("reads some lanes and not others")
    lane = _one_lane(source)
    params = {**eqn.params, "slice_sizes": tuple(1 if is_symbol(n) else n for n in eqn.params["slice_sizes"])}
    if "fill_value" in params:
        params["fill_value"] = 0
    numbers = jnp.arange(1, 1 + lane.size, dtype=jnp.int32).reshape(lane.shape)
    places = np.asarray(eqn.primitive.bind(numbers, *args[1:], **params), np.int64).reshape(-1) - 1
    if places.min(initial=0) < 0:
        raise Refused("reads places outside of the array")
    value, _ = _lanes_first(g, args[0], source.shape)
    lanes = len(_symbols(source.shape))
    return _back(g, g.node("Gather", [value, places], axis=lanes), result.shape)


def _one_slice(g: Graph, eqn: Any, args: list[Any]) -> Any:
    """A slice of as many entries as the operation says, from one constant place on."""
    numbers, sizes = eqn.params["dimension_numbers"], eqn.params["slice_sizes"]
    starts = dict(zip(numbers.start_index_map, args[1].tolist(), strict=True))
    cut = [k for k, size in enumerate(sizes) if k in starts]
    start = g.ints([starts[k] for k in cut])
    end = g.node("Add", [start, g.shape([sizes[k] for k in cut])])
    return with_axes(g, "Squeeze", g.node("Slice", [args[0], start, end, g.ints(cut)]), numbers.collapsed_slice_dims)


@rule
@each_part
def gather(g, eqn, args):
    shape, numbers = eqn.invars[0].aval.shape, eqn.params["dimension_numbers"]
    axes, sizes = tuple(numbers.start_index_map), tuple(eqn.params["slice_sizes"])
    single = len(axes) == 1 and tuple(numbers.collapsed_slice_dims) == axes and not numbers.operand_batching_dims
    if not single or any(n != (1 if k == axes[0] else shape[k]) for k, n in enumerate(sizes)):
        if isinstance(args[1], np.ndarray):
            slices = len(args[1].shape) == 1 and not numbers.operand_batching_dims
            return _one_slice(g, eqn, args) if slices else _constant_places(g, eqn, args)
        raise Refused("reads something other than whole slices at places that depend on values")
    axis, rank = axes[0], len(eqn.outvars[0].aval.shape)
    index = args[1][..., 0] if isinstance(args[1], np.ndarray) else g.node("Squeeze", [args[1], g.ints([-1])])
    found = g.node("Gather", [args[0], index], axis=axis)
    batch = [k for k in range(rank) if k not in numbers.offset_dims]
    offset = list(numbers.offset_dims)
    has = [*offset[:axis], *batch, *offset[axis:]]  # where each axis of what Gather returns belongs
    return transposed(g, found, [has.index(k) for k in range(rank)])


@rule
@each_part
def dynamic_slice(g, eqn, args):
    if all(isinstance(a, np.ndarray) for a in args[1:]):
        return _constant_places(g, eqn, args)
    sizes = g.shape(eqn.params["slice_sizes"])
    starts = [g.node("Reshape", [g.node("Cast", [a], to=onnx_type(np.int64)), g.ints([1])]) for a in args[1:]]
    start = g.node("Concat", starts, axis=0)
    return g.node("Slice", [args[0], start, g.node("Add", [start, sizes]), g.ints(range(len(starts)))])


def _scatter_at_constants(g: Graph, eqn: Any, args: list[Any], reduction: str) -> Any:
    """Updates of constant places: where each goes is the transpose of the operation, applied to the places' numbers."""
    operand, updates = (eqn.invars[k].aval for k in (0, 2))
    if not isinstance(args[1], np.ndarray):
        raise Refused("writes to places that depend on values")
    if _symbols(operand.shape) != _symbols(updates.shape):
        raise Refused("writes to some lanes and not to others")
    lane, more = _one_lane(operand), _one_lane(updates)

    def add(values: Any) -> Any:
        return jax.lax.scatter_add(
            jnp.zeros(lane.shape), args[1], values, dimension_numbers=eqn.params["dimension_numbers"],
            mode=eqn.params["mode"],
        )  # fmt: skip

    numbers = jnp.arange(1.0, lane.size + 1).reshape(lane.shape)
    places = np.asarray(jax.linear_transpose(add, more)(numbers)[0], np.int64).reshape(-1) - 1
    if places.min(initial=0) < 0 or lane.size >= 2**24:
        raise Refused("writes to places outside of the array")
    if reduction == "none" and len(set(places.tolist())) < len(places):
        raise Refused("writes to a place twice")
    (value, _), (new, _) = (_lanes_first(g, args[k], eqn.invars[k].aval.shape) for k in (0, 2))
    lanes = len(_symbols(operand.shape))
    where = g.node("Expand", [places.reshape([1] * lanes + [-1]), g.node("Shape", [new])])
    found = g.node("ScatterElements", [value, where, new], axis=lanes, reduction=reduction)
    return _back(g, found, operand.shape)


RULES["scatter-add"] = each_part(lambda g, eqn, args: _scatter_at_constants(g, eqn, args, "add"))
RULES["scatter"] = each_part(lambda g, eqn, args: _scatter_at_constants(g, eqn, args, "none"))


__all__ = ["RULES"]
