"""Random cases of all that rnnzoo can combine, many for each compiled program, and planted wrong results."""

import dataclasses
import functools
import itertools
import random
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from structure_support import check_identities

from rnnzoo import cells, structures, unrolls
from rnnzoo.spec import UsageError

from .cases import Cases, compute
from .combinations import Combination, Draw, any_combination, any_structure
from .tally import REFUSED, SAME, SILENT, TRACEBACK, Tally

PER_PROGRAM = 100  # cases that one compiled program runs
STRUCTURES_EVERY = 6  # one program in so many is about a structure by itself

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
        jax.eval_shape(lambda args: compute(c, args, case.controls), case.args)
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


__all__ = ["property_cases"]
