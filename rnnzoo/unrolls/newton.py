"""Newton's method over a whole sequence: DEER (Lim et al. 2024), by multiple shooting. arXiv:2309.12252"""

from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra
from rnnzoo.unrolls.iterative import Iterative
from rnnzoo.unrolls.linearized import Steps
from rnnzoo.unrolls.shooting import Linear


@spec
class Newton(Iterative):
    """Full Newton steps: each solves the linear recurrence of the corrections exactly, in parallel over chunks::

        d_s = a_s d_sm1 + gap_s,  d = 0 before;      h_s <- h_s + d_s

    where h_s is the state at the border s of two chunks, gap_s how far the chunk before ended from it, and a_s the
    product of the Jacobians J_t = df/dh of that chunk's steps. ``chunk=1`` is DEER, whose every step is a chunk.

    Every iteration settles at least one more border, so that as many as there are suffice for any cell. A few do where
    the dynamics contract, whatever T is; where they are chaotic it takes about all, and `Scan` is the better choice.
    J_t has the family of `rnnzoo.base.Structure.jacobian`, and is dense if units meet outside of U."""

    def linear(self, steps: Steps) -> tuple[Algebra, Linear]:
        return steps.family, Steps.jacobians
