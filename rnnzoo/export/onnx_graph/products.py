"""JAX's sums and products as ONNX operators."""

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np

from rnnzoo.export.onnx_graph.complex import parts, product
from rnnzoo.export.onnx_graph.graph import Graph, Pair
from rnnzoo.export.onnx_graph.rules import RULES, Rule, each_part, onnx_type, rule
from rnnzoo.export.primitives import Refused

REDUCTIONS = {
    "reduce_sum": "ReduceSum", "reduce_max": "ReduceMax", "reduce_min": "ReduceMin", "reduce_prod": "ReduceProd",
}  # fmt: skip


def _reduction(operator: str) -> Rule:
    return lambda g, eqn, args: g.node(operator, [args[0], g.ints(eqn.params["axes"])], keepdims=0)


RULES |= {name: _reduction(operator) for name, operator in REDUCTIONS.items()}
RULES["reduce_sum"] = each_part(RULES["reduce_sum"])


def _position(operator: str) -> Rule:
    def apply(g: Graph, eqn: Any, args: list[Any]) -> Any:
        found = g.node(operator, args, axis=eqn.params["axes"][0], keepdims=0)
        return g.node("Cast", [found], to=onnx_type(eqn.outvars[0].aval.dtype))

    return apply


RULES |= {"argmax": _position("ArgMax"), "argmin": _position("ArgMin")}


@rule
@each_part
def cumsum(g, eqn, args):
    return g.node("CumSum", [args[0], np.asarray(eqn.params["axis"])], reverse=int(eqn.params["reverse"]))


@rule
def dot_general(g, eqn, args):
    multiply = functools.partial(_dot, g, eqn)
    if any(jnp.iscomplexobj(a.aval) for a in eqn.invars):
        return product(g, multiply, *args)
    return multiply(*args)


def _dot(g: Graph, eqn: Any, a: Any, b: Any) -> Any:
    """A product as MatMul where it is one with a matrix, which runs best, else as Einsum."""
    (left, right), (left_batch, right_batch) = eqn.params["dimension_numbers"]
    ranks = [len(v.aval.shape) for v in eqn.invars]
    if len(left) == 1 and not left_batch and ranks[0] >= 1 and ranks[1] == 2:
        order = [k for k in range(ranks[0]) if k != left[0]] + [left[0]]
        return g.node("MatMul", [transposed(g, a, order), transposed(g, b, [right[0], 1 - right[0]])])
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    x, y = ([next(letters) for _ in range(rank)] for rank in ranks)
    for i, j in zip((*left, *left_batch), (*right, *right_batch), strict=True):
        y[j] = x[i]
    free = [letter for letter in (*x, *y) if (letter in x) != (letter in y)]
    result = "".join([x[i] for i in left_batch] + free)
    return g.node("Einsum", [a, b], equation=f"{''.join(x)},{''.join(y)}->{result}")


def transposed(g: Graph, value: Any, order: list[int]) -> Any:
    """A value with its axes in another order."""
    if order == sorted(order):
        return value
    return np.transpose(value, order) if isinstance(value, np.ndarray) else g.node("Transpose", [value], perm=order)


@rule
def fft(g, eqn, args):
    """Of constant length, along the last axis: products with the matrix of the transform."""
    kind, (*more, length) = eqn.params["fft_type"].name.lower(), eqn.params["fft_lengths"]
    if more:
        raise Refused("is of more than one axis")
    dtype, rows = np.complex64, args[0]
    if kind == "rfft":
        matrix = np.fft.rfft(np.eye(length)).astype(dtype)
        return Pair(*(g.node("MatMul", [rows, np.asarray(m)]) for m in (matrix.real, matrix.imag)))
    if kind == "irfft":
        eye = np.eye(length // 2 + 1)
        matrices = (np.fft.irfft(unit * eye, length).astype(np.float32) for unit in (1, 1j))
        re, im = (g.node("MatMul", [p, m]) for p, m in zip(parts(g, rows), matrices, strict=True))
        return g.node("Add", [re, im])
    function = {"fft": np.fft.fft, "ifft": np.fft.ifft}[kind]
    return product(g, lambda a, b: g.node("MatMul", [a, b]), rows, function(np.eye(length)).astype(dtype))


__all__ = ["transposed"]
