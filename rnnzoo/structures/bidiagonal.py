"""Two diagonals: every unit hears itself and the next one. The cheapest cascade."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.triangular import Triangular
from rnnzoo.typing import Array, Float, Key


@spec
class Bidiagonal(Structure):
    """The diagonal and the one above it, so that products stay in the upper triangle (`Triangular`)::

        U[i, i] = diagonal[i]                     Parameters  diagonal (H,)
        U[i, i + 1] = super[i]                                super (H - 1,)

    With the second diagonal below, it is the same family with the units numbered backwards. Initially uniform, diagonal
    in (-1, 1) as in `Diagonal`, super in (-1/2, 1/2). With a larger super, U^n would grow by orders of magnitude before
    it decays, although the spectral radius, max(abs(diagonal)), is below 1."""

    connectivity = "cascade"
    closure = Triangular()

    def init(self, key: Key, size: int) -> dict[str, Array]:
        diagonal_key, super_key = jax.random.split(key)
        return {
            "diagonal": jax.random.uniform(diagonal_key, (size,), minval=-1.0, maxval=1.0),
            "super": jax.random.uniform(super_key, (size - 1,), minval=-0.5, maxval=0.5),
        }

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u["diagonal"] * h + jnp.pad(u["super"] * h[1:], (0, 1))
