"""The identity: units hear themselves at full strength, and nothing is learned (Mikolov et al. 2015, arXiv:1412.7753,
fix the recurrence of their context units in this way)."""

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.scalar import Scalar
from rnnzoo.typing import Array, Float, Key


@spec
class Identity(Structure):
    """U = I; u is an empty dict. Another fixed multiple of I is ``Scaled(structure=Identity(), scale=...)``."""

    connectivity = "self"
    closure = Scalar()

    def init(self, key: Key, size: int) -> dict[str, Array]:
        return {}

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return h

    def nonzeros(self, size: int) -> int:
        return size
