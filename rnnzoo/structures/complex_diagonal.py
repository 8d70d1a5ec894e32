"""Complex numbers on the diagonal: pairs of units that rotate and shrink (Orvieto et al. 2023, arXiv:2303.06349)."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import UsageError, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.partitioned import Partitioned
from rnnzoo.typing import Array, Float, Key, Shaped


@spec
class ComplexDiagonal(Algebra):
    """H / 2 conjugate pairs of eigenvalues re + 1j im, in real numbers. h = [real parts (H / 2,), imaginary parts]::

        U = [[diag(re), -diag(im)],               Parameters  re (H / 2,), im (H / 2,)
             [diag(im),  diag(re)]]

    Unit i < H / 2 and unit i + H / 2 are the pair ``re[i] + 1j im[i]``. Initially uniform over the area of the ring
    0.9 <= abs(re + 1j im) < 1, as in the paper's lemma 3.2."""

    connectivity = "cyclic"
    jacobian = Partitioned(parts=2)

    def check(self, size: int) -> None:
        if size % 2:
            near = f"{size - 1} or {size + 1}" if size > 1 else "2"
            raise UsageError(f"{self} does not fit hidden_size {size}; accepted: an even number, such as {near}")

    def init(self, key: Key, size: int) -> dict[str, Array]:
        radius_key, phase_key = jax.random.split(key)
        radius = jnp.sqrt(jax.random.uniform(radius_key, (size // 2,), minval=0.9**2, maxval=1.0))
        phase = jax.random.uniform(phase_key, (size // 2,), maxval=2 * math.pi)
        return {"re": radius * jnp.cos(phase), "im": radius * jnp.sin(phase)}

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        # A roll rather than two halves: XLA then makes one loop over H.
        same, other = jnp.concatenate([u["re"], u["re"]]), jnp.concatenate([-u["im"], u["im"]])
        return same * h + other * jnp.roll(h, h.shape[0] // 2)

    def eigenvalues(self, u: dict[str, Array], size: int) -> Shaped[Array, " H"]:
        return jnp.concatenate([u["re"] + 1j * u["im"], u["re"] - 1j * u["im"]])

    def nonzeros(self, size: int) -> int:
        return 2 * size

    def flops_per_step(self, size: int) -> int:
        return 3 * size

    def compose(self, a: dict[str, Array], b: dict[str, Array]) -> dict[str, Array]:
        return {"re": a["re"] * b["re"] - a["im"] * b["im"], "im": a["re"] * b["im"] + a["im"] * b["re"]}

    def identity(self, size: int) -> dict[str, Array]:
        return {"re": jnp.ones(size // 2), "im": jnp.zeros(size // 2)}

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.repeat(jnp.array([[1.0, 0.0]]), size // 2, axis=1)

    def from_probes(self, columns: Float[Array, "P H"]) -> dict[str, Array]:
        re, im = jnp.split(columns[0], 2)
        return {"re": re, "im": im}
