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
from zoo import CELLS, HIDDEN, is_varied, parameters

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


@parameters("cell", [cell for cell in CELLS if cell.uses_dt])
def test_a_time_changes_its_step_and_those_after_it(x64, cell):
    params, xs, state = arguments(cell, 4, ())
    dt = DT[:, 0].astype(jnp.float64)
    before, after = (run(cell, params, xs, state, dt=times)[0] for times in (dt, dt.at[1].mul(2)))
    assert_close(before[:1], after[:1], 0)
    assert (abs(before - after)[1:].max(-1) > 1e-9).all()


# ---- two steps of half the time, where nothing happens in between ------------------------------------------


def whole_and_halves(cell, params, state, x, dt):
    """The states after one step, and after two of half the time, with one input."""
    ends = [
        run(cell, params, jnp.tile(jnp.asarray(x, float), (n, 1)), state, dt=jnp.full(n, dt / n))[1] for n in (1, 2)
    ]
    return ends[0], ends[1]


def test_a_ct_lstm_decays_the_same_in_two_halves(x64):
    """Of events that write nothing: all there is is the exponential decay to the target."""
    cell = cells.CTLSTM(hidden_size=3)
    params = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), 2))
    params["b"] |= {"i": jnp.full(3, -900.0), "j": jnp.full(3, -900.0), "f": jnp.full(3, 900.0)}
    params["b"] |= {"k": jnp.full(3, 900.0), "d": jnp.array([-1.0, 0.0, 2.0])}
    state = {"c": jnp.array([1.0, -2, 3]), "e": jnp.array([0.5, 0, -1]), "o": jnp.full(3, 0.5)}
    state["d"] = jax.nn.softplus(params["b"]["d"])
    whole, halves = whole_and_halves(cell, params, state, [0.3, -0.2], 1.7)
    assert_close(halves, whole, 1e-13)
    assert_close(whole["c"], state["e"] + (state["c"] - state["e"]) * jnp.exp(-1.7 * state["d"]), 1e-13)


def test_a_phased_lstm_that_is_closed_in_between_opens_the_same(x64):
    cell = cells.PhasedLSTM(hidden_size=3, leak=0.0)
    params = cell.init(jax.random.key(0), 2) | {"tau": jnp.full(3, 8.0), "r": jnp.full(3, 0.5), "s": jnp.zeros(3)}
    state = {"c": jnp.array([1.0, -2, 3]), "h": jnp.array([0.1, 0.2, 0.3])}
    for start, opens in ((4.5, False), (6.0, True)):  # open up to 4, and from 8 on
        before = {**state, "t": jnp.full(3, start)}
        whole, halves = whole_and_halves(cell, params, before, [0.3, -0.2], 3.0)
        assert_close(halves, whole, 1e-13)
        assert (abs(whole["c"] - state["c"]).max() > 1e-3) == opens


def test_a_feature_that_stays_missing_fades_the_same_in_two_halves(x64):
    """The unit shows what is put in its place: the last value, fading to the mean by the whole time since then."""
    cell = cells.GRUD(hidden_size=2, means=(1.0, -1.0))
    params = jax.tree.map(jnp.zeros_like, cell.init(jax.random.key(0), 2))
    params["w"]["n"], params["b"]["z"] = jnp.eye(2), jnp.full(2, 900.0)
    params["decay"]["x"] = jnp.array([0.5, 2.0])
    state = {"h": jnp.zeros(2), "last": jnp.array([0.3, 0.4]), "age": jnp.array([0.0, 0.7])}
    whole, halves = whole_and_halves(cell, params, state, [jnp.nan, jnp.nan], 1.7)
    assert_close(halves, whole, 1e-13)
    kept = jnp.exp(-params["decay"]["x"] * (state["age"] + 1.7))
    put = kept * state["last"] + (1 - kept) * jnp.array([1.0, -1.0])
    assert_close(whole, {"h": jnp.tanh(put), "last": state["last"], "age": state["age"] + 1.7}, 1e-13)


def test_halves_of_linear_cells_are_exact_or_nearly_so(x64):
    """S5 holds an input exactly. Both discretisations of LinOSS have an error of the first order in the step."""
    cell = cells.S5(hidden_size=6)
    params, _, state = arguments(cell, 1, ())
    whole, halves = whole_and_halves(cell, params, state, jnp.zeros(FEATURES), 1.7)
    assert_close(halves, whole, 1e-13)
    start, exact = jnp.array([0.0, 1.0]), jnp.array([-jnp.sqrt(2.0) * jnp.sin(jnp.sqrt(2.0)), jnp.cos(jnp.sqrt(2.0))])
    for how in ("im", "imex"):
        cell = cells.LinOSS(hidden_size=2, discretization=how)
        params = cell.init(jax.random.key(0), 1) | {"a": jnp.array([2.0]), "step": jnp.zeros(1)}  # steps of dt / 2
        ends = [run(cell, params, jnp.zeros((n, 1)), {"h": start}, dt=jnp.full(n, 2 / n))[1]["h"] for n in (400, 800)]
        errors = [jnp.linalg.norm(end - exact) for end in ends]
        assert errors[0] < 5e-3 and 1.9 < errors[0] / errors[1] < 2.1


# ---- in every way to run -----------------------------------------------------------------------------------


@parameters("cell", [cell for cell in CELLS if cell.uses_dt], is_varied)
def test_steps_with_their_times_are_the_sequence(x64, cell):
    params, xs, _ = arguments(cell)
    dt = DT.astype(jnp.float64)
    stepper = rnnzoo.make_stepper(cell, params, batch=(3,), dt=True, dtype="float64")
    state, ys = stepper.start(), []
    for t in range(4):
        y, state = stepper(state, xs[t : t + 1], dt=dt[t : t + 1])
        ys.append(y)
    assert_close((jnp.concatenate(ys), state), run(cell, params, xs, dt=dt), 1e-12)


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
