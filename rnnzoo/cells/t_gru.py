"""Strongly typed gated recurrent unit, T-GRU (Balduzzi & Ghifary 2016). arXiv:1602.02218"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.strongly_typed import StronglyTyped
from rnnzoo.spec import spec
from rnnzoo.typing import Array, Float, Params, PyTree


@spec
class TGRU(StronglyTyped):
    """Strongly typed gated recurrent unit, T-GRU::

        z_t = W_z x_t + V_z x_tm1 + b_z                       Parameters  w.z w.f w.o  (H, I)
        f_t = sigmoid(W_f x_t + V_f x_tm1 + b_f)                          v.z v.f v.o  (H, I)
        o_t = tanh(W_o x_t + V_o x_tm1 + b_o)                             b.z b.f b.o  (H,)
        h_t = f_t * h_tm1 + z_t * o_t                         State       h (H,), x (1, I), zeros at first
                                                              Output      h

    As in the paper, which leaves the function in o_t open; here it is tanh."""

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        return sigmoid(z_t["f"]), z_t["z"] * jnp.tanh(z_t["o"])
