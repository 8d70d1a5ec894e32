"""Hollow: dense without self-loops, as in Hopfield's networks (1982)."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import refuse
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Float, Key


@spec
class Hollow(Structure):
    """U_ij may differ from 0 where i != j. Row i of u (H, H - 1) is row i of U without its diagonal entry::

        U[i, j] = u[i, j] if j < i else u[i, j - 1]

    `materialize` gives U itself, (H, H). Initially normal, with a spectral radius of
    about 1."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if size < 2:
            raise refuse(self, size, "hidden_size of 2 or more")

    def init(self, key: Key, size: int) -> Float[Array, "H W"]:
        return with_unit_radius(self, jax.random.normal(key, (size, size - 1)) / math.sqrt(size), size)

    def materialize(self, u: Float[Array, "H W"]) -> Float[Array, "H H"]:
        size = u.shape[0]
        # In reading order, U is a 0 and then H - 1 times H numbers and a 0, so no gather is needed.
        rest = jnp.pad(u.reshape(size - 1, size), ((0, 0), (0, 1))).reshape(-1)
        return jnp.pad(rest, (1, 0)).reshape(size, size)

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h

    def flops_per_step(self, size: int) -> int:
        return 2 * size**2
