"""A plain Python loop over time: the reference that every other unroll is tested against."""

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.spec import spec
from rnnzoo.typing import Control, Params, PyTree, State
from rnnzoo.unrolls.base import Unroll, advance


@spec
class Loop(Unroll):
    """One traced copy of the step per time step. Exact and slow to compile: for tests and for debugging."""

    compiled = False
    symbolic = False

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        states = [jax.tree.map(lambda a: a[None][:0], state)]
        for t in range(jax.tree.leaves(zs)[0].shape[0]):
            z_t, control_t = jax.tree.map(lambda a, t=t: a[t], (zs, controls))
            state = advance(cell, params, state, z_t, control_t)
            states.append(jax.tree.map(lambda a: a[None], state))
        return jax.tree.map(lambda *a: jnp.concatenate(a), *states)
