"""Complex numbers inside the unit circle on the diagonal (Orvieto et al. 2023, section 3.3, arXiv:2303.06349)."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.complex_diagonal import ComplexDiagonal
from rnnzoo.structures.factors import check_even
from rnnzoo.typing import Array, Float, Key


@spec
class StableComplex(Structure):
    """`ComplexDiagonal` with the eigenvalues exp(-exp(nu) + 1j theta), whose modulus is below 1 for every u::

        Parameters  nu (H / 2,), theta (H / 2,)

    `materialize` gives re and im, as a `ComplexDiagonal` has them. Initially as there: uniform over the area of the
    ring 0.9 <= modulus < 1. The paper has exp(theta), for small angles."""

    connectivity = "cyclic"
    closure = ComplexDiagonal()

    def check(self, size: int) -> None:
        check_even(self, size)

    def init(self, key: Key, size: int) -> dict[str, Array]:
        radius_key, phase_key = jax.random.split(key)
        radius = jnp.sqrt(jax.random.uniform(radius_key, (size // 2,), minval=0.9**2, maxval=1 - 1e-6))
        theta = jax.random.uniform(phase_key, (size // 2,), maxval=2 * math.pi)
        return {"nu": jnp.log(-jnp.log(radius)), "theta": theta}

    def materialize(self, u: dict[str, Array]) -> dict[str, Array]:
        radius = jnp.exp(-jnp.exp(u["nu"]))
        return self.closure.materialize({"re": radius * jnp.cos(u["theta"]), "im": radius * jnp.sin(u["theta"])})

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return self.closure.matvec(u, h)

    def nonzeros(self, size: int) -> int:
        return 2 * size

    def flops_per_step(self, size: int) -> int:
        return 3 * size
