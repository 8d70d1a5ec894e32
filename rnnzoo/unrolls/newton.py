"""Newton's method over a whole sequence: DEER (Lim et al. 2024), by multiple shooting. arXiv:2309.12252"""

from rnnzoo.base import Algebra, spec
from rnnzoo.unrolls.iterative import Iterative
from rnnzoo.unrolls.linearized import Steps
from rnnzoo.unrolls.shooting import Linear


@spec
class Newton(Iterative):
    """Full Newton steps: each solves the linear recurrence of the corrections exactly, in parallel over chunks::

        d_c = A_cm1 d_cm1 + gap_c,  d_0 = 0;      h_c <- h_c + d_c

    where h_c is the state before chunk c, gap_c how far the chunk before ended from it, and A_cm1 the product of the
    Jacobians J_t = df/dh of that chunk's steps. ``chunk=1`` is DEER, whose every step is a chunk of its own.

    Every iteration makes at least one more chunk exact, so that as many as there are chunks suffice for any cell. A few
    do where the dynamics contract, whatever T is. J_t has the family of `rnnzoo.base.Structure.jacobian`, and is dense
    if units meet outside of U."""

    def linear(self, steps: Steps) -> tuple[Algebra, Linear]:
        return steps.family, Steps.jacobians
