"""Newton's method with the diagonal of the Jacobian only: quasi-DEER (Gonzalez et al. 2024). arXiv:2407.19115"""

from rnnzoo.base import spec
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float
from rnnzoo.unrolls.iterative import Iterative
from rnnzoo.unrolls.linearized import Steps
from rnnzoo.unrolls.prefix import solve


@spec
class QuasiNewton(Iterative):
    """As `Newton` with diag(J_t) in place of J_t: T H numbers for any structure of U, and more iterations.

    It too needs T iterations at most. Gradients are exact all the same, and take the full J_t once."""

    def correction(self, steps: Steps, before: Float[Array, "T N"], gap: Float[Array, "T N"]) -> Float[Array, "T N"]:
        return solve(Diagonal(), steps.diagonals(before), gap, steps.start * 0)
