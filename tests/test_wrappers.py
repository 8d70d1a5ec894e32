"""Wrappers: what they share, what they draw, and that every unroll makes the same of it."""

import dataclasses
import functools
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close
from unroll_support import FEATURES, LENGTHS, RESETS, arguments, eager, quick, values_and_gradients
from zoo import HIDDEN

import rnnzoo
from rnnzoo import cells, run, structures, unrolls, wrappers
from rnnzoo.counts import nonzeros_of
from rnnzoo.models import Model, Stack
from rnnzoo.spec import spec
from rnnzoo.wrappers.base import with_structure

KEY = jax.random.key(5)
LSTM, GRU = cells.LSTM(hidden_size=HIDDEN), cells.GRUResetBefore(hidden_size=HIDDEN, structure=structures.Diagonal())
NOISY = [
    wrappers.Zoneout(cell=LSTM, rate=0.3),
    wrappers.VariationalDropout(cell=GRU, rate=0.3),
    wrappers.DropConnect(cell=LSTM, rate=0.3),
]
PROJECTED = wrappers.Zoneout(cell=cells.ProjectedLSTM(hidden_size=HIDDEN), rate=0.3)  # whose h is not (H,)
DEEP = wrappers.Dilated(
    delay=2,
    cell=wrappers.Zoneout(
        rate=0.4,
        cell=wrappers.Clockwork(
            periods=(1, 3), cell=wrappers.MultiplicativeIntegration(cell=wrappers.VariationalDropout(cell=GRU))
        ),
    ),
)
each_noisy = pytest.mark.parametrize("cell", [*NOISY, DEEP], ids=lambda c: type(c).__name__)

# ---- one source of the shared fields ---------------------------------------------------------------------


def test_shared_fields_are_those_of_the_cell():
    cell = wrappers.Zoneout(cell=cells.GRU(hidden_size=6, dtype="bfloat16", bias=False))
    assert (cell.hidden_size, cell.dtype, cell.bias) == (6, "bfloat16", False)
    assert wrappers.Zoneout(hidden_size=6) == wrappers.Zoneout(cell=LSTM)
    assert dataclasses.replace(cell, dtype="bfloat16").cell.dtype == "bfloat16"
    with pytest.raises(rnnzoo.UsageError, match=r"Zoneout.hidden_size is 8 and that of its cell is 6; accepted"):
        dataclasses.replace(cell, hidden_size=8)


@each_noisy
def test_wrapped_cells_survive_json(cell):
    assert rnnzoo.from_json(rnnzoo.to_json(cell)) == cell


def test_parameters_are_those_of_the_cell():
    for cell in NOISY:
        key = jax.random.key(0)
        assert_close(cell.init(key, 3), cell.cell.init(key, 3), 0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wrappers.DropConnect(cell=cells.MinGRU(hidden_size=6)), "MinGRU has no recurrent matrix U"),
        (lambda: wrappers.VariationalDropout(cell=cells.LRU(hidden_size=6)), "LRU has no recurrent matrix U"),
        (lambda: wrappers.Zoneout(cell=wrappers.Dilated(hidden_size=6)), "accepted: Dilated outside, Zoneout inside"),
        (lambda: wrappers.Clockwork(hidden_size=6, periods=(1, 2, 4, 8)), "a number that divides hidden_size"),
        (
            lambda: wrappers.Clockwork(cell=cells.ProjectedLSTM(hidden_size=6)),
            r"h of ProjectedLSTM has shape \(3,\), and Clockwork acts on units, of which there are 6; accepted: a cell",
        ),
        (
            lambda: wrappers.MultiplicativeIntegration(cell=wrappers.MultiplicativeIntegration(hidden_size=6)).init(
                KEY, 3
            ),
            "other wrappers outside",
        ),
        (
            lambda: wrappers.Clockwork(cell=wrappers.Clockwork(hidden_size=6)).initial_state({"w": jnp.zeros(3)}),
            "one Clockwork in a cell",
        ),
    ],
)
def test_what_cannot_be_wrapped_is_refused(make, message):
    with pytest.raises(rnnzoo.UsageError, match=message):
        make()


# ---- noise -------------------------------------------------------------------------------------------------


@each_noisy
@eager
def test_noise_comes_from_the_key_alone(cell):
    params, xs, _ = arguments(cell)
    same, again, other, none = (run(cell, params, xs, key=k)[0] for k in (KEY, KEY, jax.random.key(6), None))
    assert_close(same, again, 0)
    assert abs(same - other).max() > 1e-4 and abs(same - none).max() > 1e-4


def test_cells_without_noise_ignore_the_key():
    params, xs, _ = arguments(LSTM)
    assert_close(run(LSTM, params, xs, key=KEY), run(LSTM, params, xs), 0)


@pytest.mark.parametrize("cell", [*NOISY, DEEP, PROJECTED], ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("unroll", [unrolls.Scan()], ids=str)
def test_unrolls_agree_under_noise(x64, cell, unroll):
    args, options = arguments(cell), {"key": KEY, "lengths": LENGTHS, "resets": RESETS, "reverse": True}
    got = quick(functools.partial(values_and_gradients, cell, unroll, **options))(args)
    assert_close(got, values_and_gradients(cell, unrolls.Loop(), args, **options))


@each_noisy
@eager
def test_a_batch_axis_more_and_low_precision(cell):
    params, xs, _ = arguments(cell, 3, (2, 2))
    ys, last = run(dataclasses.replace(cell, dtype="bfloat16"), params, xs, key=KEY)
    assert ys.shape == (3, 2, 2, HIDDEN) and ys.dtype == jnp.bfloat16
    assert {a.dtype for a in jax.tree.leaves(last)} == {np.dtype("float32")}
    assert_close(ys.astype(jnp.float32), run(cell, params, xs, key=KEY)[0], 0.1)


def draws(cell, time, lanes):
    return jax.vmap(lambda key: cell.noise(key, time), out_axes=1)(jax.random.split(KEY, lanes))


def test_zoneout_masks_differ_at_every_step_unit_and_sequence_and_have_the_rate():
    kept = draws(wrappers.Zoneout(cell=LSTM, rate=0.3, memory_rate=0.6), 400, 20)["kept"]
    assert kept["h"].shape == (400, 20, HIDDEN) and kept["h"].dtype == bool
    assert abs(kept["h"].mean() - 0.3) < 0.01 and abs(kept["c"].mean() - 0.6) < 0.01
    assert all((kept["h"].std(axis) > 0).any() for axis in range(3))


def test_zoneout_masks_every_vector_of_the_state_on_its_own():
    kept = draws(PROJECTED, 5, 3)["kept"]
    assert {name: mask.shape for name, mask in kept.items()} == {"c": (5, 3, HIDDEN), "h": (5, 3, HIDDEN // 2)}


def test_a_wrapper_does_not_start_jax():
    """The shapes of a state are known without a device, which `rnnzoo.use_cpu_cores` may still have to make."""
    code = (
        "from jax._src.xla_bridge import backends_are_initialized as started; from rnnzoo import cells, wrappers; "
        "wrappers.Clockwork(cell=cells.LSTM(hidden_size=6)); assert not started()"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent, check=False).returncode == 0


def test_variational_masks_are_one_over_time_and_have_the_rate():
    heard = draws(wrappers.VariationalDropout(cell=GRU, rate=0.25), 3, 4000)["heard"]
    assert (heard == heard[:1]).all() and abs(heard.mean() - 0.75) < 0.02
    assert (heard[0].std(0) > 0).all()


def test_variational_dropout_drops_columns_of_u(x64):
    cell = wrappers.VariationalDropout(cell=LSTM, rate=0.5)
    params, xs, state = arguments(cell, 4, (1,))
    mask = 2 * cell.noise(jax.random.split(jax.random.fold_in(KEY, 1), 1)[0], 4)["heard"][0]
    dropped = {**params, "u": {g: u * mask for g, u in params["u"].items()}}
    assert 0 < mask.sum() < 2 * HIDDEN
    assert_close(run(cell, params, xs, state, key=KEY), run(LSTM, dropped, xs, state), 1e-13)


def test_drop_connect_drops_weights_once_for_the_batch():
    cell = wrappers.DropConnect(cell=cells.LSTM(hidden_size=60), rate=0.4)
    params = cell.init(KEY, 3)
    noisy = cell.noisy_params(KEY, params)
    gone = jnp.stack([noisy["u"][g] == 0 for g in "ifgo"])
    assert abs(gone.mean() - 0.4) < 0.02 and not (gone[0] == gone[1]).all()
    assert_close(noisy["u"]["i"], jnp.where(gone[0], 0, params["u"]["i"] / 0.6), 1e-6)
    assert_close({k: v for k, v in noisy.items() if k != "u"}, {k: v for k, v in params.items() if k != "u"}, 0)
    xs = jnp.ones((4, 2, 3))
    ys, _ = run(cell, params, xs, key=KEY)
    assert_close(ys[:, 0], ys[:, 1], 0)


@pytest.mark.parametrize("structure", [structures.Householder(), structures.Cayley(), structures.Givens()], ids=str)
@eager
def test_all_weights_may_be_dropped(structure):
    cell = wrappers.DropConnect(cell=cells.Elman(hidden_size=4, structure=structure), rate=1.0)
    params = cell.init(KEY, FEATURES)
    total = lambda params: run(cell, params, jnp.ones((3, FEATURES)), key=KEY)[0].sum()  # noqa: E731
    y, gradients = jax.value_and_grad(total)(params)
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves((y, gradients)))


def test_a_network_draws_for_every_layer_and_direction():
    stack = Stack(layers=2, bidirectional=True)
    model = Model(cell=wrappers.Zoneout(cell=GRU, rate=0.5), input_size=FEATURES, output_size=2, stack=stack)
    params = model.init(jax.random.key(0))
    xs = arguments(GRU)[1]
    plain, noisy, again = (model.apply(params, xs, dropout_key=k)[0] for k in (None, KEY, KEY))
    assert_close(noisy, again, 0)
    assert abs(plain - noisy).max() > 1e-3


# ---- wrappers without noise --------------------------------------------------------------------------------


def test_dilation_is_interleaved_sequences(x64):
    cell = wrappers.Dilated(cell=LSTM, delay=3)
    params, xs, _ = arguments(LSTM, 9)
    apart, _ = run(LSTM, params, xs.reshape(3, 9, FEATURES))
    assert_close(run(cell, params, xs)[0], apart.reshape(9, 3, HIDDEN), 1e-13)
    assert_close(run(wrappers.Dilated(cell=LSTM, delay=1), params, xs)[0], run(LSTM, params, xs)[0], 1e-13)


def test_clockwork_holds_units_between_their_ticks(x64):
    cell = wrappers.Clockwork(cell=LSTM, periods=(1, 2, 3))
    params, xs, _ = arguments(LSTM, 7)
    ys, last = run(cell, params, xs)
    moved = np.abs(np.diff(ys, axis=0)).min((1,)) > 0  # (T - 1, H)
    for unit in range(HIDDEN):
        period = (1, 1, 2, 2, 3, 3)[unit]
        assert moved[:, unit].tolist() == [t % period == 0 for t in range(1, 7)]
    assert last["clock"][0].tolist() == [0, 0, 1, 1, 1, 1]


def test_a_clock_that_is_off_by_a_rounding_error_is_at_its_tick(x64):
    """As states of iterative unrolls may be; a unit that moved at another step would be far from right."""
    cell = wrappers.Clockwork(cell=LSTM, periods=(1, 2, 3))
    params, xs, _ = arguments(LSTM, 7)
    state = cell.initial_state(cell.prepare(params))
    for start in (0.0, 1.0, 2.0):
        exact = {**state, "clock": jnp.minimum(start, jnp.array([0.0, 0, 1, 1, 2, 2]))}
        ys, last = run(cell, params, xs, exact)
        for error in (-1e-6, 1e-6):
            others, other = run(cell, params, xs, {**exact, "clock": exact["clock"] + error})
            assert_close(others, ys, 0)
            assert_close(other["clock"], last["clock"], 2e-6)


def test_multiplicative_integration_is_the_cell_at_alpha_zero_and_beta_one(x64):
    cell = wrappers.MultiplicativeIntegration(cell=GRU, alpha=0.0, beta=1.0)
    params = cell.init(jax.random.key(0), FEATURES)
    _, xs, state = arguments(GRU)
    plain = {name: value for name, value in params.items() if name != "mi"}
    assert_close(run(cell, params, xs, state), run(GRU, plain, xs, state), 1e-13)
    assert cell.init(KEY, 3)["mi"]["alpha"].keys() == {"r", "z", "n"}


def test_multiplicative_integration_of_an_lstm(x64):
    """Wu et al. 2016, the general form in all four sums."""
    cell = wrappers.MultiplicativeIntegration(cell=LSTM)
    params, xs, state = arguments(cell, 4, ())
    p, mi = jax.tree.map(np.asarray, params), params["mi"]
    h, c = (np.asarray(state[name]) for name in "hc")
    for x in np.asarray(xs):
        a = {}
        for g in "ifgo":
            wx, uh = p["w"][g] @ x, p["u"][g] @ h
            a[g] = mi["alpha"][g] * wx * uh + mi["beta_u"][g] * uh + mi["beta_w"][g] * wx + p["b"][g]
        c = jax.nn.sigmoid(a["f"]) * c + jax.nn.sigmoid(a["i"]) * np.tanh(a["g"])
        h = jax.nn.sigmoid(a["o"]) * np.tanh(c)
    assert_close(run(cell, params, xs, state)[1], {"h": h, "c": c}, 1e-12)


def test_counts_are_those_of_the_cell():
    banded = with_structure(LSTM, structures.Banded(bandwidth=1))
    cell = wrappers.Zoneout(cell=banded)
    assert nonzeros_of(cell) == nonzeros_of(banded) == 4 * 16
    assert cell.num_params(3) == banded.num_params(3)
    assert nonzeros_of(wrappers.Zoneout(cell=cells.LRU(hidden_size=6))) == nonzeros_of(cells.LRU(hidden_size=6)) > 0


def test_a_wrapped_cell_takes_another_structure():
    cell = with_structure(DEEP, structures.Dense())
    assert set(cell.structures.values()) == {structures.Dense()}
    assert run(cell, cell.init(KEY, FEATURES), arguments(GRU)[1])[0].shape == (4, 3, HIDDEN)


# ---- what unrolls see through -------------------------------------------------------------------------------


@spec
class _Twice(wrappers.Wrapper):
    """Two steps of the cell for each of its own, with what is computed between them under `jax.checkpoint`."""

    def step(self, params, state, z_t, recur):
        half = jax.checkpoint(lambda s: jax.tree.map(jnp.sin, s))(self.cell.step(params, state, z_t, recur))
        return self.cell.step(params, half, z_t, recur)


def test_a_wrapper_that_does_as_it_likes(x64):
    cell = _Twice(cell=dataclasses.replace(LSTM, hidden_size=24))
    args = arguments(cell)
    expected = values_and_gradients(cell, unrolls.Loop(), args)
    assert_close(quick(functools.partial(values_and_gradients, cell, unrolls.Scan()))(args), expected)


@pytest.mark.parametrize("cell", [*NOISY, DEEP], ids=lambda c: type(c).__name__)
def test_recurrent_matrices_are_found_through_wrappers(x64, cell):
    cell = with_structure(cell, structures.Dense())
    args = arguments(cell)
    step = quick(functools.partial(values_and_gradients, cell, unrolls.Scan(), key=KEY, resets=RESETS))
    assert_close(step(args), values_and_gradients(cell, unrolls.Loop(), args, key=KEY, resets=RESETS))
