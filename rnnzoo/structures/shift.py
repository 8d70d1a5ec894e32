"""The shift: a delay line (Rodan & Tino 2011, Minimum Complexity Echo State Network). It forgets after H steps."""

import jax.numpy as jnp

from rnnzoo.spec import UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.strictly_triangular import StrictlyTriangular
from rnnzoo.typing import Array, Float, Key


@spec
class Shift(Structure):
    """Every unit hears the next one, and the last none, so that U^H = 0; u (H - 1,), initially 1::

        U[i, i + 1] = u[i]

    The other direction is the same family with the units numbered backwards."""

    connectivity = "none"
    closure = StrictlyTriangular()

    def check(self, size: int) -> None:
        if size < 2:
            raise UsageError(f"{self} does not fit hidden_size {size}; accepted: hidden_size of 2 or more")

    def init(self, key: Key, size: int) -> Float[Array, " P"]:
        return jnp.ones(size - 1)

    def matvec(self, u: Float[Array, " P"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return jnp.pad(u * h[1:], (0, 1))

    def flops_per_step(self, size: int) -> int:
        return size
