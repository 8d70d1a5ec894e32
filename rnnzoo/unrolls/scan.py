"""`lax.scan` over time, with exact derivatives whose expensive part is taken out of the loop."""

import functools

from rnnzoo.cells.base import Cell
from rnnzoo.spec import spec
from rnnzoo.typing import Array, Control, Params, PyTree, State
from rnnzoo.unrolls.base import Ran, Unroll, around
from rnnzoo.unrolls.recurrence import lanes, one, recurrence


@spec
class Scan(Unroll):
    """The default. Forward and reverse mode, of any order.

    A step may use any of JAX, control flow and `jax.checkpoint` included (`recur` itself stays at its top level). A
    `jax.custom_vjp` in it has reverse mode only, as everywhere in JAX."""

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        return recurrence(cell, one, params, state, zs, controls)[0]

    def apply(
        self, cell: Cell, params: Params, state: State, xs: Array, controls: Control, *, states: bool = False
    ) -> Ran:
        # The last state separately: slicing it from all of them would keep all T steps of vectors no output uses.
        unrolled = functools.partial(recurrence, cell, lanes, params)
        return around(unrolled, cell, params, state, xs, controls, states=states)
