"""Convergence report of an iterative unroll: iterations and residual per sequence."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.run import run
from rnnzoo.spec import UsageError, spec
from rnnzoo.typing import Array, Bool, Control, Float, Int, Params, PyTree, State
from rnnzoo.unrolls.base import Ran, Unroll, around
from rnnzoo.unrolls.iterative import Iterative
from rnnzoo.unrolls.linearized import Steps
from rnnzoo.unrolls.newton import Newton
from rnnzoo.unrolls.shooting import Chunks


class Report(NamedTuple):
    """What `convergence_report` returns: one entry for each sequence."""

    iterations: Int[Array, " *B"]
    """Number of iterations; 0 if the starting guess is the solution."""
    residual: Float[Array, " *B"]
    """The largest ``abs(h' - h) / max(1, abs(h))``, where h' is the state after a chunk and h the state that the next
    chunk started from; NaN if any state is not finite."""
    converged: Bool[Array, " *B"]
    """Whether the residual is within the tolerance. If not, `rnnzoo.run` returns NaN for this sequence."""


def convergence_report(
    cell: Cell,
    params: Params,
    xs: Float[Array, "T ..."],
    state: State | None = None,
    *,
    unroll: Iterative = Newton(),  # noqa: B008 (a frozen specification)
    **controls: Any,
) -> Report:
    """Run `unroll` on the sequences `xs`, and report iterations and residuals; works under `jax.jit`.

    Args:
        cell: as for `rnnzoo.run`.
        params: as for `rnnzoo.run`.
        xs: as for `rnnzoo.run`.
        state: as for `rnnzoo.run`.
        unroll: `Newton` or any other `Iterative` unroll.
        **controls: lengths, resets, dt, reverse and key, as for `rnnzoo.run`.

    Raises:
        UsageError: as for `rnnzoo.run`, or `unroll` does not iterate.
    """
    if not isinstance(unroll, Iterative):
        raise UsageError(f"unroll is {unroll}; accepted: one that iterates, such as Newton()")
    return Report(**run(cell, params, xs, state, unroll=_Reporting(inner=unroll), **controls)[1])


newton_report = convergence_report  # the name of the first edition, which stays


@spec
class _Reporting(Unroll):
    """Iterates as `inner` does. `run` returns what an unroll gives as the last state: here that is the `Report`, as a
    dict, so that `run` checks the arguments and gives the report its batch axes."""

    inner: Iterative

    def refuses(self, cell: Cell) -> str | None:
        return self.inner.refuses(cell)

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        return self._states_and_report(cell, params, state, zs, controls)[0]

    def _states_and_report(
        self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control
    ) -> tuple[State, State]:
        if not jax.tree.leaves(zs)[0].shape[0]:
            empty = Report(jnp.int32(0), jnp.zeros(()), jnp.array(True))
            return self.inner(cell, params, state, zs, controls), empty._asdict()
        chunks = Chunks(Steps(cell, params, state, zs, controls), self.inner.chunk)
        last = self.inner.iterate(chunks)
        return chunks.states(last.starts), Report(last.count, last.residual(), self.inner.converged(last))._asdict()

    def apply(
        self, cell: Cell, params: Params, state: State, xs: Array, controls: Control, *, states: bool = False
    ) -> Ran:
        lanes = jax.vmap(lambda *lane: self._states_and_report(cell, params, *lane), (0, 1, 1), (1, 0))
        return around(lanes, cell, params, state, xs, controls)


__all__ = ["Report", "convergence_report", "newton_report"]
