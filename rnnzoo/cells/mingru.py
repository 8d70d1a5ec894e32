"""Minimal GRU without a recurrent matrix, minGRU (Feng et al. 2024). arXiv:2410.01201"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Affine
from rnnzoo.spec import spec
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Params, PyTree


@spec
class MinGRU(Affine):
    """Minimal GRU without a recurrent matrix, minGRU::

        z_t = sigmoid(W_z x_t + b_z)                          Parameters  w.z w.n  (H, I)
        n_t = positive(W_n x_t + b_n)                                     b.z b.n  (H,)
        h_t = (1 - z_t) * h_tm1 + z_t * n_t                   State       h (H,)   Output  h

    The paper's final form, whose candidates are positive so that its authors can scan logarithms. Here every unroll
    works on h itself: the decay 1 - z_t is in (0, 1) and n_t grows no faster than its argument, so that h is finite
    at any length. The authors' code starts at positive(h_0), which is 0.5 for zeros; here the state before the first
    step is h itself, zeros by default."""

    gates = ("z", "n")

    transition = Diagonal()

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        return sigmoid(-z_t["z"]), sigmoid(z_t["z"]) * positive(z_t["n"])


def positive(a: Float[Array, " H"]) -> Float[Array, " H"]:
    """The paper's g: a + 0.5 for a >= 0, sigmoid(a) below."""
    return jnp.where(a >= 0, a + 0.5, sigmoid(a))
