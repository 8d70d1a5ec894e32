"""One random case: what rnnzoo computes, values and gradients, against what NumPy does (`oracle`)."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from structure_support import with_dense_matrices
from unroll_support import quick

from rnnzoo import run
from rnnzoo.models import Model
from rnnzoo.unrolls.iterative import Iterative
from rnnzoo.unrolls.parts import Parts

from . import oracle
from .combinations import Combination, Draw, draw, initial_of, shapes_of
from .oracle import Controls, Tree
from .tally import REFUSED, SAME, SILENT

CLOSE = {True: 1e-9, False: 1e-3}  # in float64 and float32, relative to the largest entry
STEP = 1e-5  # of a difference quotient, for inputs of size 1
Found = tuple[Any, Tree]  # outputs, and the last state


# ---- rnnzoo's side ---------------------------------------------------------------------------------------


def compute(c: Combination, args: Any, controls: Controls) -> Found:
    """Outputs and the last state, {} of a network."""
    options: dict[str, Any] = {**controls._asdict(), "unroll": c.unroll}
    params, xs, state = args
    if isinstance(c.spec, Model):
        return c.spec.apply(params, xs, **options)[0], {}
    return run(c.spec, params, xs, state, reverse=c.reverse, **options)


def program(c: Combination) -> Callable[..., Any]:
    """From a case and cotangents of its results to the results and their gradient, compiled once."""

    def both(args: Any, controls: Controls, weights: Any) -> tuple[Found, Any]:
        found, pull = jax.vjp(lambda args: compute(c, args, controls), args)
        return found, pull(weights)[0]

    return quick(both)


# ---- NumPy's side ----------------------------------------------------------------------------------------


def dense(c: Combination) -> Callable[[Tree], Tree]:
    """From stacked parameters to the same in float64, as the references take them."""

    def of_one(params: Tree) -> Tree:
        if not isinstance(c.spec, Model):
            return with_dense_matrices(c.spec, params)
        found = dict(params)
        for name in [name for name in params if name.startswith("layer")]:
            parts = {d: with_dense_matrices(c.cell, params[name][d]) for d in c.spec.directions}
            found[name] = {**params[name], **parts}
        return found

    return quick(jax.vmap(of_one))


def expected(c: Combination, params: Tree, args: Any, controls: Controls, initial: list[Tree]) -> Found:
    """What `compute` should give; `params` have dense recurrent matrices, and are used instead of those in `args`."""
    _, xs, state = args
    if isinstance(c.spec, Model):
        return oracle.network(c.spec, params, xs, initial, controls), {}
    (first,) = initial
    return oracle.batch(c.spec, params, xs, first if state is None else state, first, controls, c.reverse)


def direction(rng: np.random.Generator, args: Any) -> Any:
    """A random direction of length 1. A clock has jumps, and does not move."""
    leaves, tree = jax.tree_util.tree_flatten_with_path(args)
    raw = [rng.normal(size=a.shape) * (getattr(path[-1], "key", "") != "clock") for path, a in leaves]
    length = np.sqrt(sum((a**2).sum() for a in raw)) or 1.0
    return tree.unflatten([a / length for a in raw])


# ---- one case --------------------------------------------------------------------------------------------


class Cases:
    """All cases of one combination, which share their programs."""

    def __init__(self, c: Combination):
        self.c, self.shapes = c, shapes_of(c)
        self.run, self.dense = program(c), dense(c)
        self.initial = initial_of(c)
        unroll = c.unroll.inner if isinstance(c.unroll, Parts) else c.unroll
        self.may_give_up = isinstance(unroll, Iterative)
        self.results: Any = None  # the shapes of outputs and of the last state

    def draw(self, rng: np.random.Generator) -> Draw:
        return draw(self.c, self.shapes, rng)

    def weights(self, rng: np.random.Generator, case: Draw) -> Found:
        """Random cotangents of the results."""
        if self.results is None:
            self.results = jax.eval_shape(lambda args: compute(self.c, args, case.controls), case.args)
        return jax.tree.map(lambda a: rng.normal(size=a.shape).astype(a.dtype), self.results)

    def check(self, case: Draw, rng: np.random.Generator, plant: Callable[[Any], Any] = lambda got: got) -> str:
        """The outcome of one case. `plant` changes what rnnzoo computed."""
        args, along = oracle.wide(case.args), direction(rng, case.args)
        # For large inputs a smaller step: the second derivatives grow with them.
        small = STEP / max(1.0, case.scale)
        steps = (0.0, small, -small, small / 30, -small / 30)
        moved = [jax.tree.map(lambda a, d, by=by: a + by * d, args, along) for by in steps]
        params = self.dense(jax.tree.map(lambda *a: np.stack(a), *(m[0] for m in moved)))
        params = [jax.tree.map(lambda a, n=n: np.asarray(a)[n], params) for n in range(len(steps))]

        def at(n: int) -> Found:
            return expected(self.c, params[n], moved[n], case.controls, self.initial)

        right = at(0)
        weights = self.weights(rng, case)
        got, grads = plant(jax.tree.map(np.asarray, self.run(case.args, case.controls, weights)))
        if self.may_give_up and _gave_up(got, right, CLOSE[self.c.double]):
            return REFUSED
        if not close(got, right, CLOSE[self.c.double]):
            return SILENT
        # Without input and bias, a piecewise function may be exactly at its corner.
        if not self.c.unroll.exact or oracle.has_jumps(self.c.cell) or (case.scale == 0 and not self.c.cell.bias):
            return SAME
        slope = _dot(grads, along)
        size = 1 + np.sqrt(_dot(grads, grads)) * (1e-6 if self.c.double else 1e-3) / 1e-6
        # Where a gate is nearly 1, a rounding error of it is all there is of 1 - tanh^2, and large inputs multiply it.
        size += 0.0 if self.c.double else case.scale
        for n in (1, 3):  # a smaller step if there is a corner in between
            quotient = (_dot(at(n), weights) - _dot(at(n + 1), weights)) / (steps[n] - steps[n + 1])
            rounding = 1e-14 * _dot(jax.tree.map(np.abs, right), jax.tree.map(np.abs, weights)) / steps[n]
            if abs(slope - quotient) <= 1e-6 * size + rounding:  # False for NaN
                return SAME
        return SILENT


def _dot(a: Any, b: Any) -> float:
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return float(sum((np.asarray(x, np.float64) * y).sum() for x, y in pairs))


def close(got: Any, right: Any, tolerance: float) -> bool:
    """Whether two trees of results are finite and close."""
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(right), strict=True):
        if a.shape != b.shape or not np.isfinite(a).all() or not np.isfinite(b).all():
            return False
        if not (np.abs(a - b) <= tolerance * max(1.0, float(np.abs(b).max(initial=0)))).all():
            return False
    return True


def _gave_up(got: Found, right: Found, tolerance: float) -> bool:
    """Whether an iteration did not converge, as documented: NaN, next to what is right."""
    pairs = [np.broadcast_arrays(a, b) for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(right), strict=True)]
    missing = [np.isnan(a) for a, _ in pairs]
    rest = [np.where(m, b, a) for (a, b), m in zip(pairs, missing, strict=True)]
    return any(m.any() for m in missing) and close(rest, [b for _, b in pairs], tolerance)


__all__ = ["Cases", "close", "compute"]
