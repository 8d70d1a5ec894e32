"""Unrolls that use the Jacobian of a step: what the Jacobian is, how iterations end, and what is said when they do not.

That they agree with the plain loop in values and derivatives is in test_unrolls.py and test_sequences.py.
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from support import assert_close, inputs
from unroll_support import FEATURES, LENGTHS, RESETS, arguments, quick
from zoo import PAIRS, has_quick_jacobian, is_numeric, parameters

import rnnzoo
from rnnzoo import cells, newton_report, run, structures, unrolls
from rnnzoo.cells.base import Affine, Cell, Recurrent
from rnnzoo.cells.histories import without_histories, z_at
from rnnzoo.spec import spec
from rnnzoo.structures import BlockDiagonal, Dense, Diagonal, Partitioned
from rnnzoo.structures.base import Structure
from rnnzoo.typing import Control
from rnnzoo.unrolls.base import advance
from rnnzoo.unrolls.elementwise import family_of, mixes
from rnnzoo.unrolls.linearized import Steps

# ---- the Jacobian of a step --------------------------------------------------------------------------------


def steps_of(cell, time=3, controls=None):
    """The steps of one sequence with random parameters, and states to take Jacobians at."""
    params, _, state = arguments(cell, time, ())
    params = cell.prepare(params)
    *axes, last = cell.window_of(FEATURES)
    xs = inputs(time, tuple(axes), last)
    if cell.uses_dt:
        xs = xs.at[..., -1].set(1)
    zs = jax.vmap(lambda x_t: z_at(cell, params, x_t, state))(xs)
    steps = Steps(cell, params, without_histories(cell, state), zs, controls or Control())
    return steps, jax.random.normal(jax.random.key(5), (time, steps.start.size))


@parameters("cell", PAIRS, has_quick_jacobian)
def test_jacobians_and_diagonals_are_those_of_the_step(x64, cell):
    steps, hs = steps_of(cell)
    controls = Control(active=jnp.array([True, False, True]), reset=jnp.array([False, False, True]))
    steps.controls = controls

    def both(hs):
        columns = jax.vmap(steps.family.matvec, (None, 0), 1)  # of a prepared matrix
        eye = jnp.eye(hs.shape[1])
        return jax.vmap(lambda a: columns(a, eye))(steps.jacobians(hs)), steps.diagonals(hs)

    jacobian = jax.jacfwd(steps.apply)
    expected = jnp.stack([jax.jit(jacobian)(hs)[t, :, t] for t in range(3)])
    found, diagonals = quick(both)(hs)
    assert_close(found, expected)
    assert_close(diagonals, jnp.diagonal(expected, axis1=1, axis2=2))


@parameters("cell", PAIRS, is_numeric)
def test_units_of_the_zoo_meet_in_u_alone(cell):
    """No cell of the zoo pays for a dense Jacobian unless its structure asks for one."""
    steps = jax.eval_shape(lambda: steps_of(cell)[1])
    state = jax.eval_shape(lambda: cell.initial_state(cell.prepare(cell.init(jax.random.key(0), 3))))
    state = without_histories(cell, state)
    assert steps.shape[1] == sum(leaf.size for leaf in jax.tree.leaves(state))
    family, n = steps_of_family(cell), len(jax.tree.leaves(state))
    if isinstance(cell.recurrence, Affine):
        entry = cell.recurrence.transition.jacobian
    elif not cell.elementwise:
        assert family == Dense()
        return
    else:
        entry = family_of({structure.jacobian for structure in cell.structures.values()})
    assert family == (entry if n == 1 or entry == Dense() else Partitioned(parts=n, entry=entry))


def steps_of_family(cell):
    found = []
    jax.eval_shape(lambda: found.append(steps_of(cell)[0].family))
    return found[0]


@spec
class _Softmax(Recurrent):
    """Units meet outside of U."""

    structure: Structure = Diagonal()

    def step(self, params, state, z_t, recur):
        return {"h": jax.nn.softmax(recur(state["h"])["h"]) + state["h"][::-1] / 3}


@spec
class _Gated(Recurrent):
    """Units meet in U only, though z_t does not: calls within calls, and constants of all kinds."""

    structure: Structure = Diagonal()

    def project(self, params, x_t):
        return {"x": super().project(params, x_t)["h"]}

    def step(self, params, state, z_t, recur):
        gate = jax.jit(jax.nn.gelu)(recur(state["h"])["h"])
        return {"h": jax.nn.relu(z_t["x"].sum() + jnp.where(z_t["x"] > 0, gate, state["h"]) ** 2 - jnp.arange(6.0))}


def test_what_mixes_units_is_found_and_named():
    for cell, reason in ((_Gated(hidden_size=6), None), (_Softmax(hidden_size=6), "reduce_max")):
        params, xs, state = arguments(cell, 1, ())
        assert mixes(cell, params, state, cell.project(params, xs[0]), Control()) == reason
        assert steps_of_family(cell) == (Diagonal() if reason is None else Dense())


def test_a_cell_whose_units_meet_elsewhere_is_exact_all_the_same(x64):
    cell = _Softmax(hidden_size=6)
    args = arguments(cell)
    expected = run(cell, *args)
    for unroll in (unrolls.Newton(), unrolls.QuasiNewton()):
        assert_close(quick(functools.partial(run, cell, unroll=unroll))(*args), expected)


@spec
class _Counting(Cell):
    """Carries a whole number."""

    def initial_state(self, params):
        return super().initial_state(params) | {"steps": jnp.zeros((), jnp.int32)}

    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(z_t["h"] + state["h"]), "steps": state["steps"] + 1}


def test_a_state_that_is_not_floating_point_is_refused():
    cell = _Counting(hidden_size=6)
    for unroll in (unrolls.ParallelBackward(), unrolls.Newton()):
        name = type(unroll).__name__
        with pytest.raises(rnnzoo.UsageError, match=rf"state\['steps'\] of _Counting is int32, .*; {name} needs"):
            run(cell, cell.init(jax.random.key(0), 4), inputs(), unroll=unroll)


# ---- iterations ------------------------------------------------------------------------------------------------

ITERATIVE = [unrolls.Newton(), unrolls.QuasiNewton(), unrolls.LevenbergMarquardt()]
LONG = 256


def report(cell, params, xs, unroll, **options):
    return jax.jit(functools.partial(newton_report, cell, unroll=unroll, **options))(params, xs)


@parameters("cell", PAIRS, lambda cell: type(cell).__name__ in ("GRU", "LSTM") and cell.structure == Diagonal())
def test_newton_converges_to_1e_6_within_10_iterations(cell):
    params, xs = cell.init(jax.random.key(0), FEATURES), inputs(LONG, (2,), FEATURES)
    iterations, residual, converged = report(cell, params, xs, unrolls.Newton(tolerance=1e-6))
    assert converged.all() and (iterations <= 10).all() and (residual <= 1e-6).all()
    ys = jax.jit(functools.partial(run, cell, unroll=unrolls.Newton()))(params, xs)[0]
    assert_close(ys, run(cell, params, xs)[0], 1e-4)


def test_an_affine_cell_takes_one_iteration(x64):
    cell = cells.LRU(hidden_size=6)
    params, xs, _ = arguments(cell, 20)
    assert (report(cell, params, xs, unrolls.Newton()).iterations == 1).all()


def chaotic():
    """A dense network far from contracting: (cell, params, xs)."""
    cell = cells.Elman(hidden_size=6, structure=Dense())
    params, xs, _ = arguments(cell, 24)
    return cell, {**params, "u": jax.tree.map(lambda u: 4 * u, params["u"])}, 0.1 * xs


@pytest.mark.parametrize(("chunk", "low", "high"), [(1, 5, 23), (None, 2, 5)])
@pytest.mark.parametrize("unroll", ITERATIVE[:2], ids=lambda unroll: type(unroll).__name__)
def test_as_many_iterations_as_borders_suffice_for_any_cell(x64, unroll, chunk, low, high):
    cell, params, xs = chaotic()
    unroll = dataclasses.replace(unroll, tolerance=1e-10, chunk=chunk)
    iterations = report(cell, params, xs, unroll).iterations
    assert (iterations > low).all() and (iterations <= high).all()
    assert_close(jax.jit(functools.partial(run, cell, unroll=unroll))(params, xs), run(cell, params, xs), 1e-6)


@spec
class _Wild(Cell):
    """The derivative of a step is up to 20 in size, and that of a chunk overflows."""

    def step(self, params, state, z_t, recur):
        return {"h": jnp.sin(20 * state["h"] + z_t["h"])}


@pytest.mark.parametrize("chunk", [1, 5, 10, 60])
@pytest.mark.parametrize("unroll", ITERATIVE[:2], ids=lambda unroll: type(unroll).__name__)
def test_no_jacobian_is_too_large(unroll, chunk):
    cell = _Wild(hidden_size=2)
    params, xs = cell.init(jax.random.key(0), FEATURES), inputs(120, (2,), FEATURES)
    iterations, _, converged = report(cell, params, xs, dataclasses.replace(unroll, chunk=chunk, max_iterations=500))
    assert converged.all() and (iterations <= 120 // chunk - 1).all()


@spec
class _NotAtZero(Cell):
    """Its step is not finite where all inputs are 0."""

    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(state["h"] / 2 + z_t["h"] / jnp.sqrt((z_t["h"] ** 2).sum()))}


def test_the_last_chunk_need_not_be_full(x64):
    cell = _NotAtZero(hidden_size=6)
    args = arguments(cell, 7)
    assert_close(quick(functools.partial(run, cell, unroll=unrolls.Newton(chunk=2)))(*args), run(cell, *args))


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 9])
def test_chunks_of_any_length(x64, chunk):
    cell = cells.LSTM(hidden_size=6, structure=Diagonal())
    args = arguments(cell, 5)
    options: Any = {"lengths": jnp.array([5, 0, 3]), "resets": jnp.zeros((5, 3), bool).at[2].set(True)}
    for unroll in ITERATIVE:
        found = quick(functools.partial(run, cell, unroll=dataclasses.replace(unroll, chunk=chunk), **options))
        assert_close(found(*args), run(cell, *args, unroll=unrolls.Loop(), **options))


@pytest.mark.parametrize("unroll", ITERATIVE, ids=str)
def test_a_run_that_does_not_converge_says_so(x64, unroll):
    cell, params, xs = chaotic()
    xs = xs.at[:, 0].set(100.0)  # saturated units: this one converges at once
    few = dataclasses.replace(unroll, max_iterations=3, chunk=1)
    call = functools.partial(run, cell, unroll=few)
    expected = r"did not converge on Elman: 2 of 3 sequences have residuals up to .* after 3 iterations; accepted: "
    with pytest.raises(rnnzoo.UsageError, match=expected):
        call(params, xs)
    ys, last = jax.jit(call)(params, xs)
    assert jnp.isfinite(ys[:, 0]).all() and jnp.isnan(ys[:, 1:]).all() and jnp.isnan(last["h"][1:]).all()
    grads = jax.jit(jax.grad(lambda params: call(params, xs)[0].sum()))(params)
    assert jnp.isnan(ravel_pytree(grads)[0]).any()
    iterations, residual, converged = report(cell, params, xs, few)
    np.testing.assert_array_equal(converged, [True, False, False])
    assert iterations[0] < 3 and (iterations[1:] == 3).all() and (residual[1:] > 1e-3).all()


def test_what_is_not_finite_is_not_blamed_on_the_iteration():
    cell, params, xs = chaotic()
    with pytest.raises(rnnzoo.UsageError, match=r"1 of 3 sequences have states that are not finite"):
        run(cell, params, (0 * xs).at[2, 1].set(jnp.nan), unroll=unrolls.Newton())


def test_no_reset_hides_that_a_run_did_not_converge(x64):
    cell, params, xs = chaotic()
    resets = jnp.zeros(xs.shape[:2], bool).at[-2].set(True)
    few = unrolls.Newton(max_iterations=1)
    ys, last = jax.jit(functools.partial(run, cell, unroll=few, resets=resets))(params, xs)
    assert jnp.isnan(ys).all() and jnp.isnan(last["h"]).all()


def test_nan_is_never_taken_for_convergence():
    cell = cells.GRU(hidden_size=64, structure=Diagonal())  # large enough for reductions that drop NaN
    params, xs = cell.init(jax.random.key(0), FEATURES), inputs(LONG, (2,), FEATURES).at[7, 0].set(jnp.nan)
    _, residual, converged = report(cell, params, xs, unrolls.Newton(max_iterations=12))
    np.testing.assert_array_equal(converged, [False, True])
    assert jnp.isnan(residual[0]) and residual[1] < 1e-6


def test_report_under_controls(x64):
    cell = cells.LSTM(hidden_size=6, structure=Diagonal())
    params, xs, _ = arguments(cell)
    iterations, _, converged = report(cell, params, xs, unrolls.Newton(), lengths=LENGTHS, resets=RESETS, reverse=True)
    assert converged.all() and (iterations <= LENGTHS).all() and iterations[0] > 0


def test_report_of_no_steps_and_of_what_does_not_iterate():
    cell = cells.GRU(hidden_size=6)
    params, xs, _ = arguments(cell, 0)
    assert [leaf.tolist() for leaf in newton_report(cell, params, xs)] == [[0] * 3, [0.0] * 3, [True] * 3]
    with pytest.raises(rnnzoo.UsageError, match=r"unroll is Scan\(\); accepted: one that iterates"):
        newton_report(cell, params, xs, unroll=unrolls.Scan())  # pyright: ignore


def test_a_damped_correction_is_the_least_squares_solution(x64):
    cell = cells.Elman(hidden_size=6, structure=BlockDiagonal(block=2))
    steps, hs = steps_of(cell, 5)
    before = steps.before(hs)
    gap, a = steps.apply(before) - hs, steps.diagonals(before)
    found = unrolls.LevenbergMarquardt(damping=0.7).correction(Diagonal(), a, gap)
    for unit in range(6):
        rows = np.eye(5) - np.diag(np.asarray(a[1:, unit]), -1)
        weights = np.diag(np.sqrt(0.7) * np.abs(np.asarray(gap[:, unit])))
        right = np.concatenate([np.asarray(gap[:, unit]), np.zeros(5)])
        assert_close(found[:, unit], np.linalg.lstsq(np.concatenate([rows, weights]), right)[0])


def test_a_step_by_itself_is_advance(x64):
    cell = cells.LSTM(hidden_size=6)
    steps, hs = steps_of(cell)
    one = advance(cell, steps.params, steps.unravel(hs[1]), jax.tree.map(lambda a: a[1], steps.zs), Control())
    assert_close(steps.apply(hs)[1], ravel_pytree(one)[0])


def test_structures_that_share_a_family_share_it_in_newton():
    cell = cells.LSTM(hidden_size=6, structure=structures.Jordan())
    assert steps_of_family(cell) == Partitioned(parts=2, entry=BlockDiagonal(block=2))
