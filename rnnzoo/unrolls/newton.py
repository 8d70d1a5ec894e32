"""Newton's method over a whole sequence: DEER (Lim et al. 2024). arXiv:2309.12252"""

from rnnzoo.base import spec
from rnnzoo.typing import Array, Float
from rnnzoo.unrolls.iterative import Iterative
from rnnzoo.unrolls.linearized import Steps
from rnnzoo.unrolls.prefix import solve


@spec
class Newton(Iterative):
    """Full Newton steps: each solves the linear recurrence of the corrections exactly, in parallel over time::

        d_t = J_t d_tm1 + (f(h_tm1, z_t) - h_t),  d_0 = 0;      h_t <- h_t + d_t;      J_t = df/dh at h_tm1

    Every iteration makes at least one more step exact, so that T of them suffice for any cell. A few do where the
    dynamics contract, whatever T is; where they are chaotic it takes about T, and `Scan` is the better choice. J_t has
    the family of `rnnzoo.base.Structure.jacobian`, and is dense if units meet outside of U."""

    def correction(self, steps: Steps, before: Float[Array, "T N"], gap: Float[Array, "T N"]) -> Float[Array, "T N"]:
        return solve(steps.family, steps.jacobians(before), gap, steps.start * 0)
