"""A structure times a fixed number, such as the spectral radius of an echo state network (Jaeger 2001)."""

from rnnzoo.spec import Positive, spec
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Connectivity, Float, Key, PyTree, Shaped


@spec
class Scaled(Structure):
    """U = scale V, with V of `structure`; u are the parameters of V. Where V is linear in u, this only changes where
    training starts. Where V is constrained it lasts: with Cayley() and 0.9, U shrinks every h by 0.9."""

    structure: Structure = Dense()
    """The structure of V."""
    scale: Positive = 0.95
    """The number; not trained."""

    @property
    def connectivity(self) -> Connectivity:
        return self.structure.connectivity

    @property
    def closure(self) -> Algebra:
        return self.structure.closure

    @property
    def jacobian(self) -> Algebra:
        return self.structure.jacobian

    def check(self, size: int) -> None:
        self.structure.check(size)

    def init(self, key: Key, size: int) -> PyTree:
        return self.structure.init(key, size)

    def shapes(self, size: int) -> PyTree:
        return self.structure.shapes(size)

    def materialize(self, u: PyTree) -> PyTree:
        return self.structure.materialize(u)

    def matvec(self, u: PyTree, h: Float[Array, " H"]) -> Float[Array, " H"]:
        return self.scale * self.structure.matvec(u, h)

    def eigenvalues(self, u: PyTree, size: int) -> Shaped[Array, " H"] | None:
        values = self.structure.eigenvalues(u, size)
        return None if values is None else self.scale * values

    def num_params(self, size: int) -> int:
        return self.structure.num_params(size)

    def nonzeros(self, size: int) -> int:
        return self.structure.nonzeros(size)

    def flops_per_step(self, size: int) -> int:
        return self.structure.flops_per_step(size) + size
