"""The sum of two structures, such as a diagonal and a permutation."""

import jax

from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.structures.permutation import Permutation
from rnnzoo.structures.scaled import Scaled
from rnnzoo.structures.spectral import pattern
from rnnzoo.typing import Array, Connectivity, Float, Key, PyTree


@spec
class Sum(Structure):
    """U = A + B, with A of structure `a` and B of structure `b`; u = {"a": parameters of A, "b": parameters of B}.

    A and B are drawn as they are alone, so that the spectral radius is about 2 at most if they commute; wrap them in
    `Scaled` for less, as the default does. By default every unit hears itself and one other, chosen at random. The
    graph is the union of the two graphs. The union of two cascades is taken to be one, since all cascades here are
    upper triangular."""

    a: Structure = Scaled(structure=Diagonal(), scale=0.25)
    """The structure of A."""
    b: Structure = Scaled(structure=Permutation(), scale=0.95)
    """The structure of B."""

    @property
    def connectivity(self) -> Connectivity:
        both: set[Connectivity] = {self.a.connectivity, self.b.connectivity}
        if len(both) == 1:
            return self.a.connectivity
        return "cyclic" if "cyclic" in both else "cascade"

    closure = Dense()

    @property
    def jacobian(self) -> Algebra:
        a, b = self.a.jacobian, self.b.jacobian
        if a == b or b == Diagonal():
            return a
        return b if a == Diagonal() else Dense()

    def check(self, size: int) -> None:
        self.a.check(size)
        self.b.check(size)

    def init(self, key: Key, size: int) -> dict[str, PyTree]:
        a_key, b_key = jax.random.split(key)
        return {"a": self.a.init(a_key, size), "b": self.b.init(b_key, size)}

    def shapes(self, size: int) -> PyTree:
        return {"a": self.a.shapes(size), "b": self.b.shapes(size)}

    def materialize(self, u: dict[str, PyTree]) -> dict[str, PyTree]:
        return {"a": self.a.materialize(u["a"]), "b": self.b.materialize(u["b"])}

    def matvec(self, u: dict[str, PyTree], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return self.a.matvec(u["a"], h) + self.b.matvec(u["b"], h)

    def num_params(self, size: int) -> int:
        return self.a.num_params(size) + self.b.num_params(size)

    def nonzeros(self, size: int) -> int:
        return int((pattern(self.a, size) | pattern(self.b, size)).sum())

    def flops_per_step(self, size: int) -> int:
        return self.a.flops_per_step(size) + self.b.flops_per_step(size) + size
