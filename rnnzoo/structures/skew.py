"""Skew-symmetric with friction, so that signals neither grow nor fade by much (Chang et al. 2019, AntisymmetricRNN,
arXiv:1902.09689)."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import NonNegative, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import refuse
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.structures.strictly_triangular import StrictlyTriangular
from rnnzoo.typing import Array, Float, Key


@spec
class Skew(Structure):
    """U = A - A^T - gamma I, with A above the diagonal; u (P,), P = H (H - 1) / 2, are the parameters of A as of a
    `StrictlyTriangular`. All eigenvalues have the real part -gamma.

    `materialize` gives U itself, (H, H). Initially normal, scaled so that the eigenvalues of A - A^T fill the segment
    from about -1j to 1j."""

    gamma: NonNegative = 0.0
    """The friction: what is subtracted from the diagonal."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if size < 2:
            raise refuse(self, size, "hidden_size of 2 or more")

    def init(self, key: Key, size: int) -> Float[Array, " P"]:
        return with_unit_radius(Skew(), jax.random.normal(key, (size * (size - 1) // 2,)), size)

    def materialize(self, u: Float[Array, " P"]) -> Float[Array, "H H"]:
        skew = skew_matrix(u)
        return skew - self.gamma * jnp.eye(skew.shape[0], dtype=u.dtype)

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h

    def nonzeros(self, size: int) -> int:
        return size**2 if self.gamma else size * (size - 1)

    def flops_per_step(self, size: int) -> int:
        return 2 * size**2


def skew_matrix(u: Float[Array, " P"]) -> Float[Array, "H H"]:
    """A - A^T, with A from its parameters."""
    above = StrictlyTriangular().materialize(u)
    return above - above.T


def from_rotations(a: Float[Array, " N"], size: int) -> Float[Array, " P"]:
    """The parameters with A[2 n, 2 n + 1] = a[n], and 0 elsewhere."""
    places = 2 * jnp.arange(a.shape[0])
    above = jnp.zeros((size, size), a.dtype).at[places, places + 1].set(a)
    return StrictlyTriangular().from_probes(above.T)
