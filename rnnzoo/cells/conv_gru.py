"""Convolutional GRU, GRU-RCN (Ballas et al. 2016). arXiv:1511.06432"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.convolutional import Convolutional
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.typing import Params, PyTree, State


@spec
class ConvGRU(Convolutional):
    """A GRU over arrays, here of rows and columns; inputs (T, B, *shape, I), products with W and U are convolutions::

        r_t = sigmoid(W_r x_t + b_r + U_r h_tm1)              Parameters  w.r w.z w.n  (C, k, k, I)
        i_t = sigmoid(W_z x_t + b_z + U_z h_tm1)                          b.r b.z b.n  (C,)
        n_t = tanh(W_n x_t + b_n + U_n (r_t * h_tm1))                     u.r u.z u.n  (C, k, k, C)
        h_t = (1 - i_t) * h_tm1 + i_t * n_t                   State       h (H,)   Output  h (H,)

    As in the paper, which has no biases; i_t is its z_t, and 1 - i_t of `GRUResetBefore`. State and output are flat
    arrays (*shape, C), so that ``ys.reshape(T, B, *shape, C)`` is a sequence of pictures. Without a `shape`, W and U
    are dense matrices."""

    gates = ("r", "z", "n")

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        h_tm1 = state["h"]
        a = recur({"r": h_tm1, "z": h_tm1})
        r_t, i_t = sigmoid(a["r"]), sigmoid(a["z"])
        n_t = jnp.tanh(recur({"n": r_t * h_tm1})["n"])
        return {"h": (1 - i_t) * h_tm1 + i_t * n_t}
