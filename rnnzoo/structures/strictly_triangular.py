"""The triangle above the diagonal: no unit hears itself, not even through others. It forgets after H steps."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import UsageError, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.triangular import Triangular
from rnnzoo.typing import Array, Float, Key


@spec
class StrictlyTriangular(Algebra):
    """U_ij may differ from 0 where i < j, so that U^H = 0. u (P,), P = H (H - 1) / 2, are the parameters of a
    `Triangular` T of H - 1 units, which is moved one column to the right::

        U[i, j + 1] = T[i, j]                     T = Triangular().materialize(u)

    `materialize` gives U itself, (H, H). Initially normal with standard deviation
    1 / sqrt(H)."""

    connectivity = "none"
    jacobian = Triangular()

    def check(self, size: int) -> None:
        if size < 2:
            raise UsageError(f"{self} does not fit hidden_size {size}; accepted: hidden_size of 2 or more")

    def init(self, key: Key, size: int) -> Float[Array, " P"]:
        return jax.random.normal(key, (size * (size - 1) // 2,)) / math.sqrt(size)

    def materialize(self, u: Float[Array, " P"]) -> Float[Array, "H H"]:
        return jnp.pad(Triangular().materialize(u), ((0, 1), (1, 0)))

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h

    def flops_per_step(self, size: int) -> int:
        return 2 * size**2

    def compose(self, a: Float[Array, "H H"], b: Float[Array, "H H"]) -> Float[Array, "H H"]:
        return a @ b

    def identity(self, size: int) -> Float[Array, " P"]:
        raise UsageError(f"{self} has no identity of hidden_size {size}; accepted: Triangular")

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.eye(size)

    def from_probes(self, columns: Float[Array, "P H"]) -> Float[Array, " N"]:
        return Triangular().from_probes(columns[1:, :-1])
