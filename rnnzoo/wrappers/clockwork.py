"""Update masks of a clockwork network: groups of units that move at their own pace (Koutnik et al. 2014).

arXiv:1402.3511"""

import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.typing import Params, PyTree, State
from rnnzoo.wrappers.base import Wrapper, needs_units


@spec
class Clockwork(Wrapper):
    """The H units are as many groups of one size as there are `periods`. With T_i the period of unit i's group, and
    v_new what the step of `cell` makes of every vector v of its state::

        v_t[i] = v_new[i] if clock_tm1[i] = 0 else v_tm1[i]
        clock_t[i] = (clock_tm1[i] + 1) mod T_i           State    those of `cell`, and  clock (H,)

    The clock starts at 0, and again at a reset, so that all units move at the first step; it is kept as a float, like
    all of the state. The paper's network has ``Elman(structure=structures.Clockwork(groups=g))`` in it, whose groups
    hear themselves and slower ones only, and periods 1, 2, 4, ...; this wrapper gives the pace to any cell. Parameters
    are those of `cell`.

    Iterative unrolls take longer. For a GRU of 6 units with a diagonal U, periods (1, 2, 7) and 40 steps, `Newton` took
    4 iterations instead of 2 or 3 without the clock, and 38 instead of 3 with ``chunk=1``. `LevenbergMarquardt` did not
    converge in 100 iterations; its outputs are then NaN."""

    cell: Cell = Elman(hidden_size=1)
    """The cell whose units are held."""
    periods: tuple[Size, ...] = (1, 2)
    """Steps between two updates, for each group from the first units to the last."""

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_units(self)
        if not self.periods or self.hidden_size % len(self.periods):
            raise UsageError(
                f"Clockwork.periods is {self.periods}; accepted: as many periods as there are groups, a number that "
                f"divides hidden_size, which is {self.hidden_size}"
            )

    def initial_state(self, params: Params) -> State:
        state = self.cell.initial_state(params)
        if "clock" in state:
            raise UsageError(f"{type(self.cell).__name__} has a clock already; accepted: one Clockwork in a cell")
        return {**state, "clock": jnp.zeros_like(state[self.carries[0]])}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        inner = {name: leaf for name, leaf in state.items() if name != "clock"}
        new = self.cell.step(params, inner, z_t, recur)
        # A clock stands for the nearest tick, lest an error within the tolerance of an iterative unroll move a unit at
        # the wrong step.
        moves = state["clock"] < 0.5
        held = {name: jnp.where(moves, new[name], state[name]) for name in self.carries}
        periods = np.repeat(np.array(self.periods), self.hidden_size // len(self.periods))
        return {**new, **held, "clock": jnp.mod(state["clock"] + 1.5, periods.astype(state["clock"].dtype)) - 0.5}
