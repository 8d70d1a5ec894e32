"""How an iterative unroll got on: iterations and residuals of every sequence."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.run import run
from rnnzoo.spec import UsageError, spec
from rnnzoo.typing import Array, Bool, Control, Float, Int, Params, PyTree, State
from rnnzoo.unrolls.base import Unroll, around
from rnnzoo.unrolls.iterative import Iterative
from rnnzoo.unrolls.linearized import Steps
from rnnzoo.unrolls.newton import Newton
from rnnzoo.unrolls.shooting import Chunks


class Report(NamedTuple):
    """What `newton_report` returns, for each sequence."""

    iterations: Int[Array, " *B"]
    """How many there were; 0 if the starting guess is the solution."""
    residual: Float[Array, " *B"]
    """The largest ``abs(h' - h) / max(1, abs(h))``, of the state h' after a chunk and the h that the next one started
    from; NaN if anything is."""
    converged: Bool[Array, " *B"]
    """Whether that is within the tolerance. If not, outputs of `rnnzoo.run` are NaN."""


def newton_report(
    cell: Cell,
    params: Params,
    xs: Float[Array, "T *B I"],
    state: State | None = None,
    *,
    unroll: Iterative = Newton(),  # noqa: B008 (a frozen specification)
    **controls: Any,
) -> Report:
    """How `unroll` gets on with the sequences `xs`; works under `jax.jit`.

    Args:
        cell: as for `rnnzoo.run`.
        params: as for `rnnzoo.run`.
        xs: as for `rnnzoo.run`.
        state: as for `rnnzoo.run`.
        unroll: `Newton` or another `Iterative` one.
        **controls: lengths, resets and reverse, as for `rnnzoo.run`.

    Raises:
        UsageError: as `rnnzoo.run`, and for an unroll that does not iterate.
    """
    if not isinstance(unroll, Iterative):
        raise UsageError(f"unroll is {unroll}; accepted: one that iterates, such as Newton()")
    return Report(**run(cell, params, xs, state, unroll=_Reporting(inner=unroll), **controls)[1])


@spec
class _Reporting(Unroll):
    """Gives a `Report` in place of the last state."""

    inner: Iterative

    def refuses(self, cell: Cell) -> str | None:
        return self.inner.refuses(cell)

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        return self._both(cell, params, state, zs, controls)[0]

    def _both(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> tuple[State, State]:
        if not jax.tree.leaves(zs)[0].shape[0]:
            nothing = Report(jnp.int32(0), jnp.zeros(()), jnp.array(True))
            return self.inner(cell, params, state, zs, controls), nothing._asdict()
        chunks = Chunks(Steps(cell, params, state, zs, controls), self.inner.chunk)
        last = self.inner.iterate(chunks)
        return chunks.states(last.starts), Report(last.count, last.residual(), self.inner.converged(last))._asdict()

    def apply(self, cell: Cell, params: Params, state: State, xs: Array, controls: Control) -> tuple[Array, State]:
        lanes = jax.vmap(lambda *lane: self._both(cell, params, *lane), (0, 1, 1), (1, 0))
        return around(lanes, cell, params, state, xs, controls)


__all__ = ["Report", "newton_report"]
