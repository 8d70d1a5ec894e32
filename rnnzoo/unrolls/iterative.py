"""All states at once by iteration: what Newton's method and its variants share."""

import abc
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import Tracer
from jax.custom_batching import custom_vmap

from rnnzoo.cells.base import Cell
from rnnzoo.spec import Positive, Size, UsageError, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.typing import Array, Control, Float, Params, PyTree, State
from rnnzoo.unrolls.base import Ran
from rnnzoo.unrolls.linearized import Linearized, Steps
from rnnzoo.unrolls.prefix import solve
from rnnzoo.unrolls.shooting import Chunks, Linear, Shot


class Iterate(NamedTuple):
    """Where an iteration stands, for one sequence of C chunks."""

    count: Array  # () how many iterations led here
    starts: Float[Array, "C N"]  # the states before each chunk
    shot: Shot  # what came of them

    def gap(self) -> Float[Array, "S N"]:
        """How far the end of each chunk is from the start of the next: 0 at the solution."""
        return self.shot.ends[:-1] - self.starts[1:]

    def error(self) -> Float[Array, "S N"]:
        """The gap relative to states above 1."""
        return jnp.abs(self.gap()) / jnp.maximum(1, jnp.abs(self.starts[1:]))

    def residual(self) -> Array:
        """The largest error; NaN if any is."""
        # Not by `max` alone, which drops NaN on some versions of JAX for CPUs.
        finite = jnp.isfinite(self.shot.ends).all() & jnp.isfinite(self.starts).all()
        return jnp.where(finite, self.error().max(initial=0), jnp.nan)


@spec
class Iterative(Linearized):
    """Solves h_t = f(h_tm1, z_t) for all t at once: chunks of steps run side by side (multiple shooting), and each
    iteration corrects the states before them, which are at first h_t = f(0, z_t) of the step before. With ``chunk=1``
    every step is a chunk, and all states are unknown.

    A sequence has converged when the state h' after each chunk and the state h that the next one started from have
    ``abs(h' - h) <= tolerance * max(1, abs(h))`` in every unit. If `max_iterations` come first, all states of that
    sequence, and with them outputs and gradients, are NaN; outside of `jax.jit` and of loops such as that of `Chunked`
    `UsageError` says so. `rnnzoo.newton_report` tells iterations and residuals.

    Borders that are within the tolerance, as are all before them, are not corrected any more, and a correction that
    overflows gives way to the end of the chunk before: rounding cannot spoil what is settled, however large Jacobians
    are.

    Derivatives are those of the solution, not of the iteration (`ParallelBackward` has the same)."""

    compiled = False  # only outside `jax.jit` can it say that it has not converged

    tolerance: Positive | None = None
    """The largest error of a state (None: 1e-6 with states in float32, 1e-12 in float64)."""
    max_iterations: Size = 100
    """After how many iterations to give up."""
    chunk: Size | None = None
    """Steps in a chunk, which run in sequence (None: about sqrt(T)). Fewer take more iterations."""

    def apply(
        self, cell: Cell, params: Params, state: State, xs: Array, controls: Control, *, states: bool = False
    ) -> Ran:
        if names := [name for name in jax.typeof(xs).sharding.spec if name]:
            raise UsageError(
                f"xs is split over the explicit mesh axis {names[0]!r}, where JAX cannot run the while_loop of "
                f"{type(self).__name__} over sequences; accepted: Scan(), the same inside jax.shard_map, or a mesh "
                "with AxisType.Auto"
            )
        return super().apply(cell, params, state, xs, controls, states=states)

    @abc.abstractmethod
    def linear(self, steps: Steps) -> tuple[Algebra, Linear]:
        """A family of matrices, and a function that gives members of it to stand for the Jacobians of steps."""

    def correction(self, family: Algebra, a: PyTree, gap: Float[Array, "S N"]) -> Float[Array, "S N"]:
        """What to add to the states at the S = C - 1 borders of chunks: d_s = a_s d_sm1 + gap_s, with d = 0 before the
        first. a_s belongs to the chunk before border s, and gap_s is how far its end is from the start of the next."""
        return solve(family, a, gap, jnp.zeros_like(gap[0]))

    def _tolerance(self, iterate: Iterate) -> float:
        if self.tolerance is not None:
            return self.tolerance
        return 1e-12 if jnp.finfo(iterate.starts.dtype).bits > 32 else 1e-6

    def converged(self, iterate: Iterate) -> Array:
        """Whether every chunk starts, within the tolerance, where the one before ended. False where anything is NaN."""
        return iterate.residual() <= self._tolerance(iterate)

    def iterate(self, chunks: Chunks) -> Iterate:
        """The last iterate."""
        family, linear = self.linear(chunks.steps)

        def at(count, starts):
            return Iterate(count, starts, chunks.shoot(starts, family, linear))

        first = at(jnp.int32(0), guess := chunks.guess())
        if chunks.count == 1:
            return first

        def improve(now):
            between = jax.tree.map(lambda a: a[:-1], now.shot.products)
            settled = jnp.cumprod((now.error() <= self._tolerance(now)).all(1))[:, None] > 0
            ends, gap = now.shot.ends[:-1], jnp.where(settled, 0, now.gap())
            # Not starts + corrections: where the chunk before started right, its end is right to the last bit.
            new = ends + (self.correction(family, between, gap) - gap)
            other = jnp.where(jnp.isfinite(ends), ends, guess[1:])
            new = jnp.where(settled, now.starts[1:], jnp.where(jnp.isfinite(new), new, other))
            return at(now.count + 1, now.starts.at[1:].set(new))

        def goes_on(now):
            return (now.count < self.max_iterations) & ~self.converged(now)

        return lax.while_loop(goes_on, improve, first)

    def forward(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        chunks = Chunks(Steps(cell, params, state, zs, controls), self.chunk)
        last = self.iterate(chunks)
        converged = self.converged(last)
        _announce(self, cell)(converged, last.count, last.residual())
        # Set all states to NaN, not just the chunk starts: states after a reset would look valid.
        return jax.tree.map(lambda a: jnp.where(converged, a, jnp.nan), chunks.states(last.starts))


@functools.lru_cache(maxsize=64)
def _announce(unroll: Iterative, cell: Cell) -> Any:
    """A function that raises `UsageError` if values that are known say that some sequence has not converged.

    `rnnzoo.run` calls unrolls within `vmap`, where nothing is known but to the rule of a `custom_vmap`."""

    @custom_vmap
    def announce(converged, iterations, residual):
        return converged

    @announce.def_vmap
    def _(size, batched, *args):
        given = [a if b else jnp.broadcast_to(a, (size, *a.shape)) for a, b in zip(args, batched, strict=True)]
        if not any(isinstance(a, Tracer) for a in given):
            _require(unroll, cell, *given)
        return announce(*given), True

    return announce


def _require(unroll: Iterative, cell: Cell, converged: Array, iterations: Array, residual: Array) -> None:
    if failed := int((~converged).sum()):
        worst = float(jnp.max(residual, initial=0, where=~converged))
        finite = bool(jnp.isfinite(jnp.where(converged, 0, residual)).all())
        have, accepted = f"residuals up to {worst:.1e}", "a larger max_iterations or tolerance"
        if not finite:
            have, accepted = "states that are not finite", "inputs, parameters and a first state that are finite"
        raise UsageError(
            f"{unroll} did not converge on {type(cell).__name__}: {failed} of {converged.size} sequences have {have} "
            f"after {int(iterations.max())} iterations; accepted: {accepted}, or an unroll that does not iterate, such "
            "as Scan()"
        )
