"""A sequence in parts of equal length, one after the other: what `Chunked` and `Truncated` share."""

import abc
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.base import Cell
from rnnzoo.spec import spec
from rnnzoo.typing import Array, Control, Params, PyTree, State
from rnnzoo.unrolls.base import Ran, Unroll
from rnnzoo.unrolls.scan import Scan

Part = Callable[[State, PyTree], tuple[State, PyTree]]
"""From the state before a part and its inputs (steps, ...) to the state after it and its outputs (steps, ...)."""


@spec
class Parts(Unroll):
    """Runs another unroll over one part of the sequence after the other, projection and readout included."""

    symbolic = False

    inner: Unroll = Scan()
    """How each part is computed."""

    def refuses(self, cell: Cell) -> str | None:
        return self.inner.refuses(cell)

    @abc.abstractmethod
    def _steps(self, time: int) -> int:
        """Steps in each part but the last, of a sequence of so many."""

    @abc.abstractmethod
    def _at_border(self, part: Part) -> Callable[[State, PyTree, Array | bool], tuple[State, PyTree]]:
        """Wrap `part` with what happens at its border (a checkpoint, a gradient cut). The wrapper also receives whether
        the part is the first."""

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        def part(state, inputs):
            states = self.inner(cell, params, state, *inputs)
            steps = jax.tree.leaves(zs)[0].shape[0]
            return jax.tree.map(lambda a: a[-1], states) if steps else state, states

        return self._run(part, state, (zs, controls))[1]

    def apply(
        self, cell: Cell, params: Params, state: State, xs: Array, controls: Control, *, states: bool = False
    ) -> Ran:
        def part(state, inputs):
            ran = self.inner.apply(cell, params, state, *inputs, states=states)
            return ran.last, (ran.ys, ran.states)

        last, (ys, kept) = self._run(part, state, (xs, controls))
        return Ran(ys, last, kept)

    def _run(self, part: Part, state: State, inputs: PyTree) -> tuple[State, PyTree]:
        """The state after the last step, and the outputs of all steps."""
        time = jax.tree.leaves(inputs)[0].shape[0]
        steps = self._steps(time)
        count, rest = divmod(time, steps)
        bordered = self._at_border(part)
        if not count:
            return bordered(state, inputs, True)
        whole = jax.tree.map(lambda a: a[: time - rest].reshape(count, steps, *a.shape[1:]), inputs)
        state, outputs = lax.scan(lambda state, p: bordered(state, *p), state, (whole, jnp.arange(count) == 0))
        outputs = jax.tree.map(lambda a: a.reshape(time - rest, *a.shape[2:]), outputs)
        if rest:  # outside the loop: padding would copy all inputs, and need a mask at every step
            state, last = bordered(state, jax.tree.map(lambda a: a[time - rest :], inputs), False)
            outputs = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), outputs, last)
        return state, outputs
