"""Minimal GRU with decays of both signs, SignedMinGRU (Santiago 2026, after Feng et al. 2024, arXiv:2410.01201).

https://pypi.org/project/mingru-scans
"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Affine
from rnnzoo.spec import spec
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Params, PyTree


@spec
class SignedMinGRU(Affine):
    """Minimal GRU with decays of both signs, SignedMinGRU::

        i_t = sigmoid(W_z x_t + b_z)                          Parameters  w.z w.n w.s  (H, I)
        n_t = W_n x_t + b_n                                               b.z b.n b.s  (H,)
        s_t = tanh(W_s x_t + b_s)                             State       h (H,)       Output  h
        h_t = s_t * h_tm1 + i_t * n_t

    i_t is called z_t there. A unit can flip its sign at every step, which counts parity; `MinGRU`, whose decays are
    positive, cannot. With `coupled`, (1 - i_t) * s_t in place of s_t. Without the package's learned first state and its
    decay by elapsed time, both off by default."""

    gates = ("z", "n", "s")

    coupled: bool = False
    """Whether the decay is (1 - i_t) * s_t, so that a unit forgets as much as it takes in."""

    transition = Diagonal()

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        s_t = jnp.tanh(z_t["s"])
        return sigmoid(-z_t["z"]) * s_t if self.coupled else s_t, sigmoid(z_t["z"]) * z_t["n"]
