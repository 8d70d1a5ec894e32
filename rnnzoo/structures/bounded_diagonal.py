"""A diagonal that stays in a range, so that no unit can explode (as Orvieto et al. 2023, arXiv:2303.06349, section
3.3, do for complex numbers: `StableComplex`)."""

import jax

from rnnzoo.spec import UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key


@spec
class BoundedDiagonal(Structure):
    """U = diag(low + (high - low) sigmoid(logit)), u = {"logit": (H,)}: each entry is strictly between low and high.

    `materialize` gives the diagonal (H,). Initially uniform in (low, high)."""

    low: float = -1.0
    """The lower bound; 0 gives decays without changes of sign."""
    high: float = 1.0
    """The upper bound."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low < self.high:
            raise UsageError(f"{self}: low is {self.low:g}; accepted: less than high = {self.high:g}")

    connectivity = "self"
    closure = Diagonal()

    def init(self, key: Key, size: int) -> dict[str, Array]:
        return {"logit": jax.random.logistic(key, (size,))}  # whose sigmoid is uniform

    def materialize(self, u: dict[str, Array]) -> Float[Array, " H"]:
        return self.low + (self.high - self.low) * jax.nn.sigmoid(u["logit"])

    def matvec(self, u: Float[Array, " H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u * h

    def flops_per_step(self, size: int) -> int:
        return size
