"""Symmetric: units hear each other equally, so that an energy falls (Hopfield 1984)."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.triangular import Triangular
from rnnzoo.typing import Array, Float, Key


@spec
class Symmetric(Structure):
    """U = A + A^T - diag(A), with A the upper triangle; u (P,), P = H (H + 1) / 2, are the parameters of A as of a
    `Triangular`. All eigenvalues are real.

    `materialize` gives U itself, (H, H). Initially normal with standard deviation
    1 / (2 sqrt(H)), for which the eigenvalues fill the segment from -1 to 1 (Wigner's semicircle)."""

    connectivity = "cyclic"
    closure = Dense()

    def init(self, key: Key, size: int) -> Float[Array, " P"]:
        return jax.random.normal(key, (size * (size + 1) // 2,)) / (2 * math.sqrt(size))

    def materialize(self, u: Float[Array, " P"]) -> Float[Array, "H H"]:
        above = Triangular().materialize(u)
        return above + jnp.triu(above, 1).T

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h

    def nonzeros(self, size: int) -> int:
        return size**2

    def flops_per_step(self, size: int) -> int:
        return 2 * size**2
