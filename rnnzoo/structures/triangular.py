"""The upper triangle: a cascade of units with all shortcuts, without a way back."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra
from rnnzoo.typing import Array, Float, Key


@spec
class Triangular(Algebra):
    """U_ij may differ from 0 where i <= j: unit i hears itself and the units after it. u (P,), P = H (H + 1) / 2,
    is the triangle folded so that no gather is needed to unfold it (TensorFlow Probability's `FillTriangular`)::

        U[i, j] = u[n] if n < P else u[H (H + 1) - 1 - n]        n = i H + j, i <= j

    `materialize` gives U itself, (H, H). Initially the diagonal is uniform in (-1, 1) as in `Diagonal`, the rest normal
    with standard deviation 1 / (2 sqrt(H)): with more, U^n grows by orders of magnitude before it decays."""

    connectivity = "cascade"

    @property
    def jacobian(self) -> Algebra:
        return self

    def init(self, key: Key, size: int) -> Float[Array, " P"]:
        diagonal_key, key = jax.random.split(key)
        diagonal = jax.random.uniform(diagonal_key, (size,), minval=-1.0, maxval=1.0)
        above = jnp.triu(jax.random.normal(key, (size, size)), 1) / (2 * math.sqrt(size))
        return _fold(jnp.diag(diagonal) + above)

    def materialize(self, u: Float[Array, " P"]) -> Float[Array, "H H"]:
        size = (math.isqrt(8 * u.size + 1) - 1) // 2
        return jnp.triu(jnp.concatenate([u, u[size:][::-1]]).reshape(size, size))

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h

    def flops_per_step(self, size: int) -> int:
        return 2 * size**2

    def compose(self, a: Float[Array, "H H"], b: Float[Array, "H H"]) -> Float[Array, "H H"]:
        return a @ b

    def identity(self, size: int) -> Float[Array, " P"]:
        return _fold(jnp.eye(size))

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.eye(size)

    def from_probes(self, columns: Float[Array, "P H"]) -> Float[Array, " N"]:
        return _fold(columns.T)


def _fold(matrix: Float[Array, "H H"]) -> Float[Array, " P"]:
    """The inverse of `Triangular.materialize`: of two places that share a number, one is in the lower triangle."""
    size = matrix.shape[0]
    flat, count = jnp.triu(matrix).reshape(-1), size * (size + 1) // 2
    return flat[:count] + jnp.pad(flat[count:][::-1], (size, 0))
