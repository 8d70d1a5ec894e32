"""Layers as ONNX's own recurrent operators, LSTM, GRU and RNN, which run and quantise best."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import Primitive

from rnnzoo.cells.base import Cell
from rnnzoo.convert.gates import gate_order
from rnnzoo.export.onnx_graph.rules import rule
from rnnzoo.spec import UsageError, spec
from rnnzoo.typing import Array, Control, Params, PyTree, State
from rnnzoo.unrolls.base import Ran, Unroll, advance

ORDERS = {"LSTM": "iofg", "GRU": "zrn", "GRUResetBefore": "zrn", "Elman": "h"}  # of the gates in ONNX's weights
ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid"}


class Operator(NamedTuple):
    """An operator of ONNX, and what it needs to know."""

    name: str
    attributes: dict[str, Any]


def operator_of(cell: Cell) -> Operator | None:
    """The operator that computes `cell`, if there is one."""
    try:
        gate_order(cell, ORDERS, "ONNX", {})
    except UsageError:
        return None
    name = type(cell).__name__
    if name == "LSTM":
        return Operator("LSTM", {})
    if name != "Elman":
        return Operator("GRU", {"linear_before_reset": int(name == "GRU")})
    activation = ACTIVATIONS.get(getattr(cell, "activation", ""))
    return Operator("RNN", {"activations": (activation,)}) if activation else None


def weights(cell: Cell, params: Params) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """W (1, G H, I), R (1, G H, H) and B (1, 2 G H) from prepared parameters; None if a U is stored in another form
    than a full matrix, which R would be."""
    size, order = cell.hidden_size, ORDERS[type(cell).__name__]
    us = {g: np.shape(u) if hasattr(u, "shape") else None for g, u in params["u"].items()}
    if any(shape != (size, size) for shape in us.values()):
        return None
    zeros = np.zeros(size, np.float32)
    bias = [params["b"][g] if cell.bias else zeros for g in order]
    inner = [params["c"] if "c" in params and g == "n" else zeros for g in order]
    w = np.concatenate([np.asarray(params["w"][g]) for g in order])
    r = np.concatenate([_matrix(cell, g, params["u"][g]) for g in order])
    b = np.concatenate([np.asarray(a) for a in (*bias, *inner)])
    return w[None], r[None], b[None]


def _matrix(cell: Cell, gate: str, u: PyTree) -> np.ndarray:
    with jax.ensure_compile_time_eval():
        return np.asarray(jax.vmap(cell.structure_of(gate).matvec, (None, 0), 1)(u, jnp.eye(cell.hidden_size)))


layer_p = Primitive("onnx_layer")
layer_p.multiple_results = True


@layer_p.def_abstract_eval
def _shapes(xs: Any, w: Any, r: Any, b: Any, *state: Any, operator: str, attributes: Any) -> list[Any]:
    return [xs.update(shape=(*xs.shape[:2], r.shape[2])), *state]


@rule
def onnx_layer(g, eqn, args):
    xs, w, r, b, *state = args
    attributes = {name: list(v) if isinstance(v, tuple) else v for name, v in eqn.params["attributes"]}
    first = [g.node("Unsqueeze", [a, g.ints([0])]) for a in state]
    found = g.node(
        eqn.params["operator"], [xs, w, r, b, None, *first], 1 + len(state), hidden_size=r.shape[2], **attributes
    )
    return [g.node("Squeeze", [a, g.ints([axis])]) for a, axis in zip(found, (1, *[0] * len(state)), strict=True)]


@spec
class _Layers(Unroll):
    """For tracing to ONNX: a layer that ONNX has an operator for is one operation, and any other a plain loop, without
    custom derivatives. Parameters stay constants, since nothing is compiled."""

    compiled = False

    def apply(
        self, cell: Cell, params: Params, state: State, xs: Array, controls: Control, *, states: bool = False
    ) -> Ran:
        operator = operator_of(cell)
        found = None if operator is None or states or jax.tree.leaves(controls) else weights(cell, params)
        if operator is None or found is None:
            return super().apply(cell, params, state, xs, controls, states=states)
        names = ("h", "c") if "c" in state else ("h",)
        attributes = tuple(operator.attributes.items())
        ys, *last = layer_p.bind(
            xs, *found, *(state[name] for name in names), operator=operator.name, attributes=attributes
        )
        return Ran(ys, dict(zip(names, last, strict=True)))

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        def body(state_tm1: State, inputs_t: Any) -> tuple[State, State]:
            state_t = advance(cell, params, state_tm1, *inputs_t)
            return state_t, state_t

        return lax.scan(body, state, (zs, controls))[1]


LAYERS = _Layers()  # no member: it is of no use but here

__all__ = ["LAYERS"]
