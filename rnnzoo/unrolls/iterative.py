"""All states at once by iteration: what Newton's method and its variants share."""

import abc
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import Tracer
from jax.custom_batching import custom_vmap

from rnnzoo.base import Cell, Control, Size, UsageError, spec
from rnnzoo.registry import Positive
from rnnzoo.typing import Array, Float, Params, PyTree, State
from rnnzoo.unrolls.linearized import Linearized, Steps


class Iterate(NamedTuple):
    """Where an iteration stands, for one sequence."""

    count: Array  # () how many iterations led here
    hs: Float[Array, "T N"]  # the states after each step
    gap: Float[Array, "T N"]  # f(h_tm1, z_t) - h_t: 0 at the solution

    def error(self) -> Float[Array, "T N"]:
        """The gap relative to states above 1."""
        return jnp.abs(self.gap) / jnp.maximum(1, jnp.abs(self.hs))

    def residual(self) -> Array:
        """The largest error; NaN if any is."""
        # Not by `max` alone, which drops NaN on some versions of JAX for CPUs.
        return jnp.where(jnp.isfinite(self.gap).all(), self.error().max(initial=0), jnp.nan)


@spec
class Iterative(Linearized):
    """Solves h_t = f(h_tm1, z_t) for all t at once, from h_t = f(0, z_t) on (h_0 = f(state, z_0) for the first).

    A sequence has converged when ``abs(f(h_tm1, z_t) - h_t) <= tolerance * max(1, abs(h_t))`` for every unit and t. If
    `max_iterations` come first, all states of that sequence, and with them outputs and gradients, are NaN; outside of
    `jax.jit`, `UsageError` says so. `rnnzoo.newton_report` tells iterations and residuals. A state that
    overflows on the way starts anew from f(0, z_t).

    Derivatives are those of the solution, not of the iteration (`ParallelBackward` has the same)."""

    tolerance: Positive | None = None
    """The largest error of a step (None: 1e-6 with states in float32, 1e-12 in float64)."""
    max_iterations: Size = 100
    """After how many iterations to give up."""

    @abc.abstractmethod
    def correction(self, steps: Steps, before: Float[Array, "T N"], gap: Float[Array, "T N"]) -> Float[Array, "T N"]:
        """What to add to the states after each step, from those before and the gaps."""

    def converged(self, iterate: Iterate) -> Array:
        """Whether every step is within the tolerance. False where anything is NaN."""
        wide = jnp.finfo(iterate.hs.dtype).bits > 32
        tolerance = self.tolerance if self.tolerance is not None else 1e-12 if wide else 1e-6
        return (iterate.error() <= tolerance).all()

    def iterate(self, steps: Steps) -> Iterate:
        """The last iterate."""

        def at(count, hs):
            return Iterate(count, hs, steps.apply(steps.before(hs)) - hs)

        nothing = jnp.zeros((jax.tree.leaves(steps.zs)[0].shape[0], steps.start.size), steps.start.dtype)
        guess = steps.apply(steps.before(nothing))

        def improve(now):
            new = now.hs + self.correction(steps, steps.before(now.hs), now.gap)
            return at(now.count + 1, jnp.where(jnp.isfinite(new), new, guess))

        def goes_on(now):
            return (now.count < self.max_iterations) & ~self.converged(now)

        return lax.while_loop(goes_on, improve, at(jnp.int32(0), guess))

    def forward(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        steps = Steps(cell, params, state, zs, controls)
        last = self.iterate(steps)
        converged = self.converged(last)
        _announce(self, cell)(converged, last.count, last.residual())
        return steps.states(jnp.where(converged, last.hs, jnp.nan))


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
        raise UsageError(
            f"{unroll} did not converge on {type(cell).__name__}: {failed} of {converged.size} sequences have "
            f"residuals up to {worst:.1e} after {int(iterations.max())} iterations; accepted: more max_iterations, "
            "a larger tolerance, or an unroll that does not iterate, such as Scan()"
        )
