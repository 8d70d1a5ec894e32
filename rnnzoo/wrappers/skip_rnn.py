"""Skip RNN: a cell that learns which steps to leave out (Campos et al. 2018). arXiv:1708.06834"""

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.base import Cell
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import UsageError, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State
from rnnzoo.wrappers.base import Wrapper, needs_vectors, times, vector_shapes

_OWN = ("update", "cum", "used")


@spec
class SkipRNN(Wrapper):
    """With s the state of `cell`, s_new what its step makes of s_tm1, and v_new the first vector in s_new by
    `carries`: c of an LSTM, h of a GRU::

        a_t = cum_tm1 + min(update_tm1, 1 - cum_tm1)          Parameters  those of `cell`, and
        g_t = round(a_t)                                                  skip.w  (size of v,)
        s_t = g_t * s_new + (1 - g_t) * s_tm1                             skip.b  (), with `bias`
        p_t = sigmoid(w . v_new + b)                          State       those of `cell`, and
        update_t = g_t * p_t + (1 - g_t) * update_tm1                     update, cum, used  ()
        cum_t = (1 - g_t) * a_t
        used_t = used_tm1 + g_t

    g_t is the paper's u_t, and update the paper's Delta u~; the derivative of the rounding is 1 (straight-through).
    It all starts with update = 1 and cum = 0, so that the first step is not left out. `used` is how many steps were
    not: the paper's loss for a budget adds a multiple of it, from the last state that `rnnzoo.run` returns.

    As in the authors' code, in its order, and like it this computes the step of `cell` at every t: what is left out is
    the change of the state, and no time is saved. g_t jumps, so that iterative unrolls may take as many iterations as
    they have chunks."""

    cell: Cell = LSTM(hidden_size=1)
    """The cell whose steps are left out."""
    update_bias: float = 1.0
    """What skip.b starts at."""

    elementwise = False

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_vectors(self)

    def init(self, key: Key, input_size: int) -> Params:
        key, skip_key = jax.random.split(key)
        draw = self.kernel_init.kernel if self.kernel_init else jax.nn.initializers.glorot_uniform(0, 1)
        skip = {"w": draw(skip_key, (1, *vector_shapes(self.cell)[0][1]))[0]}
        if self.bias:
            skip["b"] = jnp.full((), self.update_bias)
        params = self.cell.init(key, input_size)
        if "skip" in params:
            raise UsageError(
                f"{type(self.cell).__name__} has parameters named 'skip', as has SkipRNN; accepted: a cell that has "
                "none"
            )
        return {**params, "skip": skip}

    def prepare(self, params: Params) -> Params:
        return {**self.cell.prepare(_inner(params)), "skip": params["skip"]}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return self.cell.project(_inner(params), x_t)

    def initial_state(self, params: Params) -> State:
        state = self.cell.initial_state(params)
        if not state.keys().isdisjoint(_OWN):
            raise UsageError(f"{type(self.cell).__name__} skips steps already; accepted: one SkipRNN in a cell")
        zero = jnp.zeros((), state[self.carries[0]].dtype)
        return {**state, "update": zero + 1, "cum": zero, "used": zero}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        inner = {name: leaf for name, leaf in state.items() if name not in _OWN}
        new = self.cell.step(params, inner, z_t, recur)
        # Not jnp.minimum, which halves the derivative where the two are equal, as they are at the start.
        rest = 1 - state["cum"]
        a_t = state["cum"] + jnp.where(state["update"] <= rest, state["update"], rest)
        g_t = a_t + lax.stop_gradient(jnp.round(a_t) - a_t)
        p_t = self._probability(params["skip"], new[self.carries[0]])
        return {
            **jax.tree.map(lambda a, b: _mixed(g_t, a, b), new, inner),
            "update": _mixed(g_t, p_t, state["update"]),
            "cum": (1 - g_t) * a_t,
            "used": state["used"] + g_t,
        }

    def _probability(self, skip: Params, vector: Float[Array, " N"]) -> Float[Array, ""]:
        a = times(skip["w"][None], vector)[0]
        return jax.nn.sigmoid(a + skip["b"] if self.bias else a)


def _inner(params: Params) -> Params:
    """The parameters of the wrapped cell, which may go by whether there is a "skip"."""
    return {name: value for name, value in params.items() if name != "skip"}


def _mixed(gate: Float[Array, ""], new: Array, old: Array) -> Array:
    """`new` where the gate is 1, `old` where it is 0."""
    if jnp.issubdtype(old.dtype, jnp.inexact):
        return gate * new + (1 - gate) * old
    return jnp.where(gate > 0.5, new, old)
