"""Newton's method with the diagonal of the Jacobian only: quasi-DEER (Gonzalez et al. 2024). arXiv:2407.19115"""

from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.unrolls.iterative import Iterative
from rnnzoo.unrolls.linearized import Steps
from rnnzoo.unrolls.shooting import Linear


@spec
class QuasiNewton(Iterative):
    """As `Newton` with diag(J_t) in place of J_t: H numbers a step for any structure of U, and more iterations.

    It too needs no more than there are borders. Gradients are exact all the same, and take the full J_t once."""

    def linear(self, steps: Steps) -> tuple[Algebra, Linear]:
        return Diagonal(), Steps.diagonals
