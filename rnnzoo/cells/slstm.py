"""Scalar LSTM with exponential gates, sLSTM (Beck et al. 2024). arXiv:2405.04517"""

import dataclasses

import jax
import jax.numpy as jnp
from jax.nn import log_sigmoid, sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.headwise import draw_blocks, through_blocks
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Fraction, Size, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.block_diagonal import BlockDiagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class SLSTM(Recurrent):
    """With s = W x_t + b + U h_tm1 of every gate::

        l_t = m_tm1 + log(sigmoid(s_f))                   Parameters  w.i w.f w.z w.o  (H, I)
        m_t = max(s_i, l_t)                                           b.i b.f b.z b.o  (H,)
        i_t = exp(s_i - m_t)                                          u.i u.f u.z u.o  structure
        f_t = exp(l_t - m_t)                              State       h, c, n, m (H,)
        c_t = f_t * c_tm1 + i_t * tanh(s_z)               Output      h
        n_t = f_t * n_tm1 + i_t
        h_t = sigmoid(s_o) * c_t / n_t

    where n_tm1 is 0, as at the start and after a reset, m_t = s_i and f_t = 0: nothing is held yet. Thus the input gate
    is exp(s_i) and the forget gate sigmoid(s_f), both as they would be if c and n had not been divided by exp(m) to
    keep them in range; from the first step on, n_t is at least 1, and c_t / n_t a mean of all tanh(s_z) so far.

    As in the authors' code. The heads of the paper are the blocks of U: ``BlockDiagonal(block=hidden_size // 4)`` is
    four of them. The convolution, norm and dropout around the cell belong to the paper's block. b.f starts as in the
    authors' code, in a power law from 5 down to -7, but over all units in place of those of each head, and U as its
    structure does, where that code has zeros."""

    gates = ("i", "f", "z", "o")
    carries = ("c", "h", "m", "n")

    structure: Structures = BlockDiagonal(block=2)
    input_blocks: Size = 1
    """Number of diagonal blocks of each W; of more than one, w.g is (blocks, H / blocks, I / blocks)."""
    depth: Fraction = 0.0
    """Where in a stack of layers this one is, from 0 (first) to 1 (last): at first, deeper layers remember longer."""

    def init(self, key: Key, input_size: int) -> Params:
        key, w_key = jax.random.split(key) if self.input_blocks > 1 else (key, key)
        params = super().init(key, input_size)
        if self.input_blocks > 1:
            draw = self.kernel_init.kernel if self.kernel_init else jax.nn.initializers.glorot_uniform(0, 1)
            keys, name = jax.random.split(w_key, len(self.gates)), "SLSTM.input_blocks"
            params["w"] = {
                g: draw_blocks(draw, k, self.hidden_size, input_size, self.input_blocks, name)
                for g, k in zip(self.gates, keys, strict=True)
            }
        if self.bias:
            at = jnp.linspace(0.0, 1.0, self.hidden_size)
            params["b"]["f"] = 5 - 12 * at ** (0.3 + 1.3 * self.depth)
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        z_t = {g: through_blocks(w, x_t) for g, w in params["w"].items()}
        return jax.tree.map(jnp.add, z_t, params["b"]) if self.bias else z_t

    def at_depth(self, depth: float, layers: int) -> "SLSTM":
        return self if self.depth else dataclasses.replace(self, depth=depth)

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        s, is_new = recur(state["h"]), state["n"] == 0
        l_t = state["m"] + log_sigmoid(s["f"])
        m_t = jnp.where(is_new, s["i"], jnp.maximum(s["i"], l_t))
        i_t = jnp.exp(s["i"] - m_t)
        f_t = jnp.where(is_new, 0, jnp.exp(jnp.where(is_new, 0, l_t - m_t)))
        c_t = f_t * state["c"] + i_t * jnp.tanh(s["z"])
        n_t = f_t * state["n"] + i_t
        return {"c": c_t, "h": sigmoid(s["o"]) * c_t / n_t, "m": m_t, "n": n_t}
