"""The cycle: a delay line whose end is joined to its start (the ring of Rodan & Tino 2011, Minimum Complexity Echo
State Network)."""

import jax.numpy as jnp

from rnnzoo.spec import UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key


@spec
class Cycle(Structure):
    """Every unit hears the next one, and the last the first; u (H,), initially 1::

        U[i, (i + 1) mod H] = u[i]

    The other direction is the same family with the units numbered backwards."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if size < 2:
            raise UsageError(f"{self} does not fit hidden_size {size}; accepted: hidden_size of 2 or more")

    def init(self, key: Key, size: int) -> Float[Array, " H"]:
        return jnp.ones(size)

    def matvec(self, u: Float[Array, " H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u * jnp.roll(h, -1)

    def flops_per_step(self, size: int) -> int:
        return size
