"""The elapsed time dt reaches the cells that use it, in every way to run them; others refuse it."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from references import reference_of
from structure_support import with_dense_matrices
from support import assert_close
from unroll_support import FEATURES, LENGTHS, RESETS, arguments, quick, values_and_gradients
from zoo import CELLS, HIDDEN, parameters

import rnnzoo
from rnnzoo import cells, run, structures, unrolls, wrappers

CELL = cells.CfC(hidden_size=HIDDEN)
DT = jax.random.uniform(jax.random.key(4), (4, 3), minval=0.1, maxval=3.0)


@parameters("cell", [cell for cell in CELLS if cell.uses_dt])
def test_cell_with_its_own_times_is_the_paper(x64, cell):
    params, xs, state = arguments(cell, 4, ())
    p, s = jax.tree.map(np.asarray, (with_dense_matrices(cell, params), state))
    expected = reference_of(type(cell))(cell, p, np.asarray(xs), s, np.asarray(DT[:, 0], float))
    assert_close(run(cell, params, xs, state, dt=DT[:, 0].astype(jnp.float64)), expected, 1e-12)


def test_no_times_are_times_of_one(x64):
    params, xs, state = arguments(CELL)
    assert_close(run(CELL, params, xs, state), run(CELL, params, xs, state, dt=jnp.ones((4, 3))), 0)


@pytest.mark.parametrize("structure", [structures.Dense(), structures.Diagonal()], ids=str)
def test_unrolls_agree_with_lengths_resets_and_reverse(x64, structure):
    cell = dataclasses.replace(CELL, structure=structure)
    args = arguments(cell)
    options = {"dt": DT.astype(jnp.float64), "lengths": LENGTHS, "resets": RESETS, "reverse": True}
    scan = quick(functools.partial(values_and_gradients, cell, unrolls.Scan(), **options))
    assert_close(scan(args), values_and_gradients(cell, unrolls.Loop(), args, **options))


def test_times_of_a_reversed_run_belong_to_their_inputs(x64):
    params, xs, _ = arguments(CELL)
    dt = DT.astype(jnp.float64)
    backward, _ = run(CELL, params, xs, dt=dt, reverse=True)
    assert_close(backward, run(CELL, params, xs[::-1], dt=dt[::-1])[0][::-1], 1e-14)


def test_gradients_by_dt_are_those_of_the_loop(x64):
    params, xs, _ = arguments(CELL)

    def total(dt, unroll):
        return (run(CELL, params, xs, dt=dt, unroll=unroll)[0] ** 2).sum()

    scan, loop = (jax.grad(total)(DT.astype(jnp.float64), u) for u in (unrolls.Scan(), unrolls.Loop()))
    assert_close(scan, loop)
    assert abs(loop).min() > 0


def test_wrappers_pass_it_on():
    cell = wrappers.Zoneout(cell=wrappers.MultiplicativeIntegration(cell=CELL))
    params = cell.init(jax.random.key(0), FEATURES)
    xs = arguments(CELL)[1]
    plain, timed = (run(cell, params, xs, dt=dt)[0] for dt in (None, DT))
    assert abs(plain - timed).max() > 1e-3


def test_what_does_not_fit_is_refused():
    params, xs, _ = arguments(CELL)
    plain = getattr(run, "__wrapped__", run)  # without the annotations' own check
    with pytest.raises(rnnzoo.UsageError, match=r"dt is float32 of \(3,\); accepted: floating point of \(4, 3\)"):
        plain(CELL, params, xs, dt=jnp.ones(3))
    lstm = cells.LSTM(hidden_size=HIDDEN)
    with pytest.raises(rnnzoo.UsageError, match="LSTM has no use for it; accepted: cells with uses_dt"):
        run(lstm, arguments(lstm)[0], xs, dt=DT)
