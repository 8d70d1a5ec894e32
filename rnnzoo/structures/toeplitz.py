"""Toeplitz: constant diagonals, a convolution along the line of units, by the fast Fourier transform (Qin et al. 2023,
arXiv:2305.04749, and others for sequence mixing)."""

import jax

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.circulant import convolve
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Float, Key


@spec
class Toeplitz(Structure):
    """One number for each diagonal, from the highest to the lowest, u (2 H - 1,)::

        U[i, j] = u[i - j + H - 1]

    Initially uniform in (-c, c), with c such that the spectral radius of U is about 1."""

    connectivity = "cyclic"
    closure = Dense()

    def init(self, key: Key, size: int) -> Float[Array, " D"]:
        u = jax.random.uniform(key, (2 * size - 1,), minval=-1.0, maxval=1.0)
        return with_unit_radius(self, u, size)

    def matvec(self, u: Float[Array, " D"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        # A convolution of period 2 H or more wraps around, but not into the places H - 1 .. 2 H - 2 that are kept.
        size = h.shape[0]
        return convolve(u, h, 1 << (2 * size - 1).bit_length())[size - 1 : 2 * size - 1]

    def nonzeros(self, size: int) -> int:
        return size**2

    def flops_per_step(self, size: int) -> int:
        return 16 * size * (2 * size).bit_length()
