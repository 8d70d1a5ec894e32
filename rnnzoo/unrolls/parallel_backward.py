"""A sequential forward pass and a parallel backward pass: the cotangent obeys a linear recurrence for any cell
(Martin & Cundy 2018, arXiv:1709.04057, have it for linear cells)."""

from rnnzoo.cells.base import Cell
from rnnzoo.spec import spec
from rnnzoo.typing import Control, Params, PyTree, State
from rnnzoo.unrolls.linearized import Linearized
from rnnzoo.unrolls.scan import Scan


@spec
class ParallelBackward(Linearized):
    """States as `Scan` computes them; derivatives in O(log T) sequential steps where there are processors for it.

    Exact for every cell, unless that overflows (below). It pays where products of Jacobians are cheap, which is up to
    the cell's structure (`rnnzoo.base.Structure.jacobian`): with n vectors of H units in the state, T n^2 H numbers for
    a diagonal U and T n^2 H^2 for a dense one. It does more work than `Scan`, and is the slower on a CPU but for the
    cheapest Jacobians (benchmarks/newton.py).

    Products of Jacobians overflow where a gradient explodes over many steps (a diagonal U of 3 does it within 400 steps
    in float32). All of the gradient is NaN then; `Scan`, which never forms such products, may have a finite one."""

    def forward(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        return Scan()(cell, params, state, zs, controls)
