"""The diagonal: every unit hears only itself (Mozer 1989's focused connections; Li et al. 2018, arXiv:1803.04831)."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra
from rnnzoo.typing import Array, Float, Key


@spec
class Diagonal(Algebra):
    """U = diag(u), u (H,). Initially uniform in (-1, 1)."""

    connectivity = "self"

    @property
    def jacobian(self) -> Algebra:
        return self

    def init(self, key: Key, size: int) -> Float[Array, " H"]:
        return jax.random.uniform(key, (size,), minval=-1.0, maxval=1.0)

    def matvec(self, u: Float[Array, " H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u * h

    def flops_per_step(self, size: int) -> int:
        return size

    def compose(self, a: Float[Array, " H"], b: Float[Array, " H"]) -> Float[Array, " H"]:
        return a * b

    def identity(self, size: int) -> Float[Array, " H"]:
        return jnp.ones(size)

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.ones((1, size))

    def from_probes(self, columns: Float[Array, "P H"]) -> Float[Array, " H"]:
        return columns[0]
