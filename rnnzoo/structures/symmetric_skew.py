"""Between symmetric and skew-symmetric, with friction (Erichson et al. 2021, Lipschitz RNN, arXiv:2006.12070)."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import Fraction, NonNegative, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Float, Key


@spec
class SymmetricSkew(Structure):
    """U = (1 - beta) (P + P^T) + beta (P - P^T) - gamma I, P = u (H, H): symmetric for beta = 0, skew-symmetric for
    beta = 1, both but for gamma. No eigenvalue has a real part above that of the symmetric part, which a beta near 1
    and a gamma keep small.

    `materialize` gives U itself, (H, H). Initially normal, scaled so that the spectral radius of U + gamma I is
    about 1."""

    beta: Fraction = 0.75
    """The weight of the skew-symmetric part."""
    gamma: NonNegative = 0.001
    """The friction: what is subtracted from the diagonal."""

    connectivity = "cyclic"
    closure = Dense()

    def init(self, key: Key, size: int) -> Float[Array, "H H"]:
        return with_unit_radius(SymmetricSkew(beta=self.beta, gamma=0.0), jax.random.normal(key, (size, size)), size)

    def materialize(self, u: Float[Array, "H H"]) -> Float[Array, "H H"]:
        mixed = (1 - self.beta) * (u + u.T) + self.beta * (u - u.T)
        return mixed - self.gamma * jnp.eye(u.shape[0], dtype=u.dtype)

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h

    def nearest(self, dense: Float[Array, "H H"]) -> Float[Array, "H H"]:
        free = dense + self.gamma * jnp.eye(dense.shape[0], dtype=dense.dtype)
        symmetric, skew = (free + free.T) / 2, (free - free.T) / 2
        return _over(symmetric, 2 * (1 - self.beta)) + _over(skew, 2 * self.beta)

    def num_params(self, size: int) -> int:
        return size * (size - 1) if self.beta == 1 else size**2

    def nonzeros(self, size: int) -> int:
        return size * (size - 1) if self.beta == 1 and not self.gamma else size**2

    def flops_per_step(self, size: int) -> int:
        return 2 * size**2


def _over(part: Float[Array, "H H"], weight: float) -> Float[Array, "H H"]:
    """What the weight turns into this part of U, where it can."""
    return part / weight if weight else jnp.zeros_like(part)
