"""Dale's law: a unit excites all units that hear it, or inhibits all of them (Song et al. 2016, Training
Excitatory-Inhibitory Recurrent Neural Networks for Cognitive Tasks)."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import Fraction, UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Float, Key


@spec
class Dale(Structure):
    """The first round(excitatory H) units excite, the others inhibit; u (H, H)::

        U[i, j] = s[j] abs(u[i, j])               s[j] = 1 if j < round(excitatory H) else -1

    `materialize` gives U itself, (H, H). Initially abs(u) is exponentially distributed, with
    excitation and inhibition in balance on average and a spectral radius of about 1. The paper has no self-loops, and
    uses max(u, 0) or abs(u)."""

    excitatory: Fraction = 0.8
    """The share of units that excite."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if size < 2:
            raise UsageError(f"{self} does not fit hidden_size {size}; accepted: hidden_size of 2 or more")

    def _signs(self, size: int) -> Float[Array, " H"]:
        return jnp.where(jnp.arange(size) < round(self.excitatory * size), 1.0, -1.0)

    def init(self, key: Key, size: int) -> Float[Array, "H H"]:
        signs = self._signs(size)
        count = jnp.maximum(jnp.where(signs > 0, (signs > 0).sum(), (signs < 0).sum()), 1)
        return with_unit_radius(self, jax.random.exponential(key, (size, size)) / count, size)

    def materialize(self, u: Float[Array, "H H"]) -> Float[Array, "H H"]:
        return jnp.abs(u) * self._signs(u.shape[0]).astype(u.dtype)

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h
