"""Convolutional LSTM, ConvLSTM (Shi et al. 2015). arXiv:1506.04214"""

from typing import Any

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.convolutional import Convolutional
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.typing import Key, Params, PyTree, State


@spec
class ConvLSTM(Convolutional):
    """An LSTM over arrays, here of rows and columns; inputs (T, B, *shape, I), products with W and U are convolutions::

        i_t = sigmoid(W_i x_t + b_i + U_i h_tm1 + peephole.i * c_tm1)     Parameters  w.i w.f w.g w.o  (C, k, k, I)
        f_t = sigmoid(W_f x_t + b_f + U_f h_tm1 + peephole.f * c_tm1)                 b.i b.f b.g b.o  (C,)
        g_t = tanh(W_g x_t + b_g + U_g h_tm1)                                         u.i u.f u.g u.o  (C, k, k, C)
        c_t = f_t * c_tm1 + i_t * g_t                                                 peephole.i .f .o (H,)
        o_t = sigmoid(W_o x_t + b_o + U_o h_tm1 + peephole.o * c_t)       State       h, c (H,)
        h_t = o_t * tanh(c_t)                                             Output      h (H,)

    As in the paper. State and output are flat arrays (*shape, C), so that ``ys.reshape(T, B, *shape, C)`` is a sequence
    of pictures. b.f starts at 1, as in `LSTM`, and peepholes at 0. Without a `shape`, W and U are dense matrices, and
    this is an LSTM with peepholes."""

    gates = ("i", "f", "g", "o")
    carries = ("c", "h")

    peephole: bool = True
    """Whether the gates see c."""

    def init(self, key: Key, input_size: Any) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            params["b"]["f"] += 1
        if self.peephole:
            params["peephole"] = {g: jnp.zeros(self.hidden_size) for g in ("i", "f", "o")}
        return params

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a, c_tm1 = recur(state["h"]), state["c"]
        see = params["peephole"] if self.peephole else dict.fromkeys(("i", "f", "o"), 0)
        i_t, f_t = (sigmoid(a[g] + see[g] * c_tm1) for g in ("i", "f"))
        c_t = f_t * c_tm1 + i_t * jnp.tanh(a["g"])
        return {"c": c_t, "h": sigmoid(a["o"] + see["o"] * c_t) * jnp.tanh(c_t)}
