"""Dilation: a layer that hears itself d steps ago (Chang et al. 2017, Dilated recurrent neural networks).

arXiv:1710.02224"""

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.histories import histories, without_histories
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Size, spec
from rnnzoo.typing import Array, Float, Params, PyTree, State
from rnnzoo.wrappers.base import Wrapper


@spec
class Dilated(Wrapper):
    """With d = `delay`, and s_t the state of `cell`::

        s_t = step(s_{t-d}, x_t)                          State    the last d states, the oldest first: leaves (d, ...)

    that is, d interleaved copies of `cell` that share parameters. The paper's layer l has d = 2**l. The first d steps
    start from the initial state; after a reset, so do the next d. The state costs d times as much to keep, so an
    unroll that saves all states needs d times the memory. Parameters are those of `cell`."""

    cell: Cell = Elman(hidden_size=1)
    """The cell that hears its state of d steps ago."""
    delay: Size = 2
    """How many steps ago, d; 1 is `cell` itself."""

    elementwise = False

    @property
    def carries(self) -> tuple[str, ...]:
        return ()  # its state is not one of vectors (H,)

    def initial_state(self, params: Params) -> State:
        one = self.cell.initial_state(params)
        past = {name: one[name] for name in histories(self)}  # of the inputs, which are not dilated
        copies = jax.tree.map(lambda a: jnp.broadcast_to(a, (self.delay, *a.shape)), without_histories(self, one))
        return {**copies, **past}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        new = self.cell.step(params, jax.tree.map(lambda a: a[0], state), z_t, recur)
        return jax.tree.map(lambda past, a: jnp.concatenate([past[1:], a[None].astype(past.dtype)]), state, new)

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return self.cell.readout(params, jax.tree.map(lambda a: a[-1], state), z_t)
