"""One number for all units: a learned leak, the simplest recurrence."""

import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key


@spec
class Scalar(Algebra):
    """U = u I, u (). Initially 1."""

    connectivity = "self"
    jacobian = Diagonal()

    def init(self, key: Key, size: int) -> Float[Array, ""]:
        return jnp.ones(())

    def matvec(self, u: Float[Array, ""], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u * h

    def nonzeros(self, size: int) -> int:
        return size

    def flops_per_step(self, size: int) -> int:
        return size

    def compose(self, a: Float[Array, ""], b: Float[Array, ""]) -> Float[Array, ""]:
        return a * b

    def identity(self, size: int) -> Float[Array, ""]:
        return jnp.ones(())

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.ones((1, size))

    def from_probes(self, columns: Float[Array, "P H"]) -> Float[Array, ""]:
        return columns[0, 0]
