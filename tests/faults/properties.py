"""Random cases of all that rnnzoo can combine, values and gradients, against NumPy (`oracle`)."""

import dataclasses
import functools
import itertools
import random
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from structure_support import check_identities
from unroll_support import quick

from rnnzoo import cells, run, structures, unrolls
from rnnzoo.cells.base import Cell, Recurrent
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.unrolls.iterative import Iterative
from rnnzoo.unrolls.parts import Parts
from rnnzoo.wrappers.base import innermost

from . import oracle
from .combinations import Combination, Draw, any_combination, any_structure, draw, shapes_of
from .oracle import Controls, Tree
from .tally import REFUSED, SAME, SILENT, TRACEBACK, Tally

PER_PROGRAM = 100  # cases that one compiled program runs
STRUCTURES_EVERY = 6  # one program in so many is about a structure by itself
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
    """From stacked parameters to the same in float64, with dense recurrent matrices, and zeros for biases that are
    not there."""

    def of_cell(cell: Cell, params: Tree) -> Tree:
        inner, params = innermost(cell), dict(params)
        if isinstance(inner, Recurrent):
            us = params["u"].items()
            params["u"] = {gate: inner.structure_of(gate).matrix(u, inner.hidden_size) for gate, u in us}
        params.setdefault("b", {gate: jnp.zeros(inner.hidden_size) for gate in inner.gates})
        return params

    def of_one(params: Tree) -> Tree:
        if not isinstance(c.spec, Model):
            return of_cell(c.spec, params)
        found = dict(params)
        for name in [name for name in params if name.startswith("layer")]:
            parts = {d: of_cell(c.cell, params[name][d]) for d in c.spec.directions}
            found[name] = {**params[name], **parts}
        return found

    return quick(jax.vmap(of_one))


def expected(c: Combination, params: Tree, args: Any, controls: Controls, zeros: Tree) -> Found:
    """What `compute` should give; `params` have dense recurrent matrices, and are used instead of those in `args`."""
    _, xs, state = args
    if isinstance(c.spec, Model):
        return oracle.network(c.spec, params, xs, zeros, controls), {}
    return oracle.batch(c.spec, params, xs, zeros if state is None else state, controls, c.reverse)


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
        self.zeros = jax.tree.map(lambda a: np.zeros((c.batch, *a.shape)), self.shapes[1])
        unroll = c.unroll.inner if isinstance(c.unroll, Parts) else c.unroll
        self.may_give_up = isinstance(unroll, Iterative)
        self.results: Any = None  # the shapes of outputs and of the last state

    def draw(self, rng: np.random.Generator) -> Draw:
        return draw(self.c, self.shapes, rng)

    def weights(self, rng: np.random.Generator, case: Draw) -> Found:
        """Random cotangents of the results."""
        if self.results is None:
            self.results = jax.eval_shape(lambda: compute(self.c, case.args, case.controls))
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
            return expected(self.c, params[n], moved[n], case.controls, self.zeros)

        right = at(0)
        weights = self.weights(rng, case)
        got, grads = plant(jax.tree.map(np.asarray, self.run(case.args, case.controls, weights)))
        if self.may_give_up and _gave_up(got, right, CLOSE[self.c.double]):
            return REFUSED
        if not close(got, right, CLOSE[self.c.double]):
            return SILENT
        # Without input and bias, a piecewise function may be exactly at its corner.
        if not self.c.unroll.exact or (case.scale == 0 and not self.c.cell.bias):
            return SAME
        slope = _dot(grads, along)
        size = 1 + np.sqrt(_dot(grads, grads)) * (1e-6 if self.c.double else 1e-3) / 1e-6
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


# ---- all of them -----------------------------------------------------------------------------------------


def property_cases(count: int, seed: int, per_program: int = PER_PROGRAM) -> Tally:
    """`count` cases, without those that are refused."""
    tally, rng = Tally("a random case of cell, structure, unroll and options, against NumPy"), random.Random(seed)
    with jax.enable_x64(True):
        for number in itertools.count():
            if tally.outcomes.total() - tally.outcomes[REFUSED] >= count:
                break
            if number % STRUCTURES_EVERY == STRUCTURES_EVERY - 1:
                _structure(tally, rng, per_program)
            else:
                _combination(tally, rng, per_program)
            if number % 20 == 19:
                jax.clear_caches()
        _plant(tally)
    return tally


def _structure(tally: Tally, rng: random.Random, cases: int) -> None:
    """Identities of one structure: products, transposed ones, compositions and Jacobians, by the dense matrix."""
    structure, size = any_structure(rng)
    for _ in range(cases):
        seed = rng.randrange(2**31)
        _add(tally, functools.partial(_identities, structure, size, seed), f"{structure} of {size}, seed {seed}")


def _identities(structure: Any, size: int, seed: int) -> str:
    try:
        check_identities(structure, size, seed)
    except AssertionError:
        return SILENT
    return SAME


def _combination(tally: Tally, rng: random.Random, cases: int) -> None:
    try:
        c = any_combination(rng)
    except UsageError as error:
        return tally.add(REFUSED, str(error))
    if c.unroll.refuses(c.cell) is not None:
        return tally.add(*_is_refused(c))
    prepared = Cases(c)
    for _ in range(cases):
        seed = rng.randrange(2**31)
        random_numbers = np.random.default_rng(seed)
        _add(tally, lambda g=random_numbers: prepared.check(prepared.draw(g), g), f"{c}, seed {seed}")
    return None


def _is_refused(c: Combination) -> tuple[str, str]:
    """Whether a run that cannot be says so."""
    cases = Cases(c)
    case = cases.draw(np.random.default_rng(0))
    try:
        jax.eval_shape(lambda: compute(c, case.args, case.controls))
    except UsageError:
        return REFUSED, ""
    return SILENT, f"{c} is refused, and runs"


def _add(tally: Tally, check: Callable[[], str], what: str) -> None:
    try:
        tally.add(check(), what)
    except Exception as error:
        tally.add(TRACEBACK, f"{what}: {type(error).__name__}: {error}")


# ---- planted faults --------------------------------------------------------------------------------------


def _plant(tally: Tally) -> None:
    """Wrong results of one combination that has everything, which must all be found; the right ones must pass."""
    cell = cells.GRU(hidden_size=5, structure=structures.Triangular())
    everything = frozenset(("state", "lengths", "mask", "resets"))
    cases = Cases(Combination(cell, unrolls.Scan(), 7, 3, 2, True, True, everything))
    case = cases.draw(np.random.default_rng(1))
    case.controls = case.controls._replace(lengths=np.array([7, 5, 3]))

    def outcome(case: Draw, plant: Callable[[Any], Any] = lambda got: got) -> str:
        return cases.check(case, np.random.default_rng(2), plant)

    assert outcome(case) == SAME, "a right result is taken for a wrong one"
    for plant in (_one_nan, _ys_one_step_late, _gradient_too_large, _gradient_transposed):
        tally.control(outcome(case, plant) == SILENT)
    for name, change in {"resets": np.logical_not, "mask": np.ones_like, "lengths": lambda a: a[::-1]}.items():
        other = dataclasses.replace(
            case, controls=case.controls._replace(**{name: change(getattr(case.controls, name))})
        )
        wrong = cases.run(other.args, other.controls, cases.weights(np.random.default_rng(2), case))
        tally.control(outcome(case, lambda got, wrong=wrong: jax.tree.map(np.asarray, wrong)) == SILENT)


def _one_nan(got: Any) -> Any:
    (ys, last), grads = got
    ys = ys.copy()
    ys[0, 0, 0] = np.nan
    return (ys, last), grads


def _ys_one_step_late(got: Any) -> Any:
    (ys, last), grads = got
    return (np.roll(ys, 1, 0), last), grads


def _gradient_too_large(got: Any) -> Any:
    found, grads = got
    return found, jax.tree.map(lambda a: 1.001 * a, grads)


def _gradient_transposed(got: Any) -> Any:
    found, (params, *others) = got
    return found, ({**params, "u": jax.tree.map(lambda u: u[::-1], params["u"])}, *others)


__all__ = ["Cases", "close", "property_cases"]
