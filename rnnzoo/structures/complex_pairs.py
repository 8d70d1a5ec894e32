"""A structure with complex entries, in real form: by default the Jordan blocks of complex pairs of eigenvalues (the
second part of https://stats.stackexchange.com/q/210111); real matrices consist of these and the blocks of `Jordan`."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import UsageError, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import check_even, refuse
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.structures.toeplitz_blocks import ToeplitzBlocks
from rnnzoo.typing import Array, Connectivity, Float, Key, PyTree, Shaped


@spec
class ComplexPairs(Algebra):
    """A + 1j B, with A and B (H / 2, H / 2) of `structure`. h = [real parts (H / 2,), imaginary parts (H / 2,)]::

        U = [[A, -B],                   Parameters  re  those of A
             [B,  A]]                               im  those of B

    The default, `ToeplitzBlocks(block=2)`, contains all Jordan blocks of two complex units. With `Diagonal`, U is a
    `ComplexDiagonal`, which is faster. Initially both parts are drawn as `structure` draws them, then scaled by one
    number so that the spectral radius of U is about 1, unless U is nilpotent."""

    structure: Algebra = ToeplitzBlocks(block=2)
    """The structure of A and B; one whose matrices are added by adding their parameters."""

    jacobian = Dense()

    @property
    def connectivity(self) -> Connectivity:
        return "none" if self.structure.connectivity == "none" else "cyclic"

    def check(self, size: int) -> None:
        check_even(self, size)
        try:
            self.structure.check(size // 2)
        except UsageError as error:
            raise refuse(self, size, f"twice what its parts accept, but {error}") from error
        if not self.structure.additive:
            raise refuse(self, size, "a structure that is linear in its parameters, such as ToeplitzBlocks or Dense")

    def init(self, key: Key, size: int) -> dict[str, PyTree]:
        re_key, im_key = jax.random.split(key)
        u = {"re": self.structure.init(re_key, size // 2), "im": self.structure.init(im_key, size // 2)}
        return u if self.connectivity == "none" else with_unit_radius(self, u, size)

    def shapes(self, size: int) -> PyTree:
        return dict.fromkeys(("re", "im"), self.structure.shapes(size // 2))

    def materialize(self, u: dict[str, PyTree]) -> dict[str, PyTree]:
        return {part: self.structure.materialize(v) for part, v in u.items()}

    def matvec(self, u: dict[str, PyTree], h: Float[Array, " H"]) -> Float[Array, " H"]:
        times, re, im = self.structure.matvec, *jnp.split(h, 2)
        return jnp.concatenate([
            times(u["re"], re) - times(u["im"], im),
            times(u["im"], re) + times(u["re"], im),
        ])  # fmt: skip

    def eigenvalues(self, u: dict[str, PyTree], size: int) -> Shaped[Array, " H"] | None:
        re, im = (self.structure.eigenvalues(u[part], size // 2) for part in ("re", "im"))
        return None if re is None or im is None else jnp.concatenate([re + 1j * im, re - 1j * im])

    def num_params(self, size: int) -> int:
        return 2 * self.structure.num_params(size // 2)

    def nonzeros(self, size: int) -> int:
        return 4 * self.structure.nonzeros(size // 2)

    def flops_per_step(self, size: int) -> int:
        return 4 * self.structure.flops_per_step(size // 2) + size

    def compose(self, a: dict[str, PyTree], b: dict[str, PyTree]) -> dict[str, PyTree]:
        times = self.structure.compose
        return {
            "re": jax.tree.map(jnp.subtract, times(a["re"], b["re"]), times(a["im"], b["im"])),
            "im": jax.tree.map(jnp.add, times(a["re"], b["im"]), times(a["im"], b["re"])),
        }

    def identity(self, size: int) -> dict[str, PyTree]:
        one = self.structure.identity(size // 2)
        return {"re": one, "im": jax.tree.map(jnp.zeros_like, one)}

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.pad(self.structure.probes(size // 2), ((0, 0), (0, size // 2)))

    def from_probes(self, columns: Float[Array, "P H"]) -> dict[str, PyTree]:
        re, im = jnp.split(columns, 2, axis=1)
        return {"re": self.structure.from_probes(re), "im": self.structure.from_probes(im)}
