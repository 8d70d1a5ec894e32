"""Cells whose state is a matrix: the contract of linear attention and its relatives."""

import abc
from typing import ClassVar

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import derived, required
from rnnzoo.typing import Array, Float, Params, PyTree, State, widen

Memory = dict[str, Float[Array, "..."]]


class MatrixMemory(Cell):
    """A cell whose state is a matrix for each of N heads, with a transition that is a diagonal plus one outer product::

        S_t = exp(g_t) * S_tm1 + a_t (b_t^T S_tm1) + k_t v_t^T        State     s  (N, K, V), at least float32
        y_t = S_t^T q_t                                               Output    y  (N V,)

    The decay exp(g_t) multiplies rows of S, one for each key. `step` and `readout` follow from `memory` and `output`;
    `rnnzoo.unrolls.ChunkedMemory` computes the same for many steps at once.

    With `reads_first`, y_t is read before the write, and the state has it as y (N, V)::

        y_t = (S_tm1 + diag(u_t) k_t v_t^T)^T q_t

    With `stabilised`, writes have a strength exp(i_t) without bounds. The state holds S_t exp(-m_t), and m (N,)::

        S_t = exp(g_t) * S_tm1 + exp(i_t) k_t v_t^T
        m_t = max(g_t + m_tm1, i_t)
    """

    carries = ()  # its state is not one of vectors
    elementwise = False
    memory_shape: ClassVar[tuple[int, int, int]] = required()
    """Numbers of heads N, keys K and values V. A class attribute or a property."""
    reads_first: ClassVar[bool] = False
    stabilised: ClassVar[bool] = False
    output_size: ClassVar[int] = derived(lambda self: self.memory_shape[0] * self.memory_shape[2])

    @abc.abstractmethod
    def memory(self, params: Params, z_t: PyTree) -> Memory:
        """What one step writes and reads, from z_t in float32 or wider. Runs at all t in parallel::

            q, k  (N, K)    v  (N, V)    g  (N, K) or (N, 1), at most 0
            a, b  (N, K), or b alone, which means a = -k (a delta rule), or neither where nothing is erased
            u     (N, K), with `reads_first`         i  (N, 1), with `stabilised`, and then neither a nor b

        Several writes in one step, one after the other, are k, v, g, a and b with one more axis in front."""

    def output(self, params: Params, read: Memory, z_t: PyTree) -> Float[Array, " O"]:
        """The output, from what was read: {"y": (N, V)}, and "m": (N,) with `stabilised`. Runs at all t in parallel.
        By default y, head after head."""
        return read["y"].reshape(-1)

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        m = self.memory(params, z_t)
        if self.stabilised:
            return _stabilised_write(m, state)
        new: State = {}
        if self.reads_first:
            new["y"] = _read(m["q"], state["s"]) + (m["q"] * m["u"] * m["k"]).sum(-1, keepdims=True) * m["v"]
        return {**new, "s": _write(m, state["s"])}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        if self.reads_first:
            return self.output(params, {"y": state["y"]}, z_t)
        q_t = self.memory(params, widen(z_t))["q"]
        read = {"y": _read(q_t, state["s"])}
        return self.output(params, {**read, "m": state["m"]} if self.stabilised else read, z_t)

    def initial_state(self, params: Params) -> State:
        dtype = jnp.result_type(*jax.tree.leaves(params), jnp.float32)
        heads, _, values = self.memory_shape
        state = {"s": jnp.zeros(self.memory_shape, dtype)}
        if self.reads_first:
            state["y"] = jnp.zeros((heads, values), dtype)
        if self.stabilised:
            state["m"] = jnp.zeros(heads, dtype)
        return state


def _read(q: Float[Array, "N K"], s: Float[Array, "N K V"]) -> Float[Array, "N V"]:
    return jnp.einsum("nk,nkv->nv", q, s)


def _write(m: Memory, s: Float[Array, "N K V"]) -> Float[Array, "N K V"]:
    """The matrix after all writes of one step."""
    names = [name for name in ("k", "v", "g", "a", "b") if name in m]
    several = m["k"].ndim == 3
    for n in range(m["k"].shape[0] if several else 1):
        w = {name: m[name][n] if several else m[name] for name in names}
        v = w["v"]
        new = jnp.exp(w["g"])[..., None] * s
        if "a" in w:
            new = new + w["a"][..., None] * _read(w["b"], s)[..., None, :]
        elif "b" in w:
            v = v - _read(w["b"], s)
        s = new + w["k"][..., None] * v[..., None, :]
    return s


def _stabilised_write(m: Memory, state: State) -> State:
    log_decay, log_strength = m["g"][..., 0], m["i"][..., 0]
    m_t = jnp.maximum(log_decay + state["m"], log_strength)
    decay, strength = jnp.exp(log_decay + state["m"] - m_t), jnp.exp(log_strength - m_t)
    written = (strength[..., None] * m["k"])[..., None] * m["v"][..., None, :]
    return {"s": decay[..., None, None] * state["s"] + written, "m": m_t}


__all__ = ["MatrixMemory", "Memory"]
