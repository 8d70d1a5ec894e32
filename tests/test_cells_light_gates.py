"""Cells with few gates: what their documentation and papers say beyond the equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs, name, random_like

import rnnzoo
from rnnzoo import cells, run, structures

KEY = jax.random.key(0)


def starts(cell, input_size=3):
    """Gate -> the bias of the first unit, of a cell whose units all start alike."""
    biases = cell.init(KEY, input_size)["b"]
    assert all((b == b[0]).all() for b in biases.values())
    return {gate: float(b[0]) for gate, b in biases.items()}


# ---- initialization --------------------------------------------------------------------------------------


def test_biases_start_as_in_the_authors_code():
    assert starts(cells.FastRNN(hidden_size=4)) == {"h": 1}
    assert starts(cells.FastGRNN(hidden_size=4)) == {"z": 1, "n": 1}
    assert starts(cells.JANET(hidden_size=4)) == {"f": 1, "n": 0}
    assert starts(cells.BRC(hidden_size=4)) == {"a": 0, "c": 0}
    assert starts(cells.RAN(hidden_size=4)) == {"i": 0, "f": 0}
    assert starts(cells.CFN(hidden_size=4)) == {"theta": 1, "eta": -1}
    assert starts(cells.STAR(hidden_size=4)) == {"k": 0, "n": 0}
    assert starts(cells.IntersectionRNN(hidden_size=4)) == {"y": 0, "h": 0, "gy": 1, "gh": 1, "p": 0}
    assert starts(cells.IntersectionRNN(hidden_size=4), 4) == {"y": 0, "h": 0, "gy": 1, "gh": 1}


def test_scalars_of_the_fast_cells_start_as_in_the_authors_code():
    fast, gated = (cell(hidden_size=4).init(KEY, 3) for cell in (cells.FastRNN, cells.FastGRNN))
    assert (fast["alpha"], fast["beta"], gated["zeta"], gated["nu"]) == (-3, 3, 1, -4)


@pytest.mark.parametrize(
    ("cell", "gate", "sign"),
    [(cells.JANET, "f", 1), (cells.STAR, "k", -1)],
)
def test_chrono_spreads_the_times_to_remember_evenly(cell, gate, sign):
    b = cell(hidden_size=4000, t_max=784.0, structure=structures.Diagonal()).init(KEY, 1)["b"]
    times = np.exp(sign * np.asarray(b[gate], float))
    assert 1 <= times.min() and times.max() <= 784.001
    assert abs(times.mean() - 392.5) < 15 and abs(times.std() - 783 / np.sqrt(12)) < 15
    assert not b["n"].any()


@pytest.mark.parametrize(("cell", "signs"), [(cells.LSTM, {"f": 1, "i": -1}), (cells.GRU, {"z": 1})])
def test_chrono_of_the_paper_forgets_after_two_steps_or_more(cell, signs):
    b = cell(hidden_size=4000, t_max=784.0, structure=structures.Diagonal()).init(KEY, 1)["b"]
    kept = [sign * np.asarray(b[gate], float) for gate, sign in signs.items()]
    assert all((bias == kept[0]).all() for bias in kept)
    times = 1 + np.exp(kept[0])  # 1 / (1 - sigmoid(b))
    assert 2 <= times.min() and times.max() <= 784.001
    assert abs(times.mean() - 393) < 15 and abs(times.std() - 782 / np.sqrt(12)) < 15
    assert not any(b[gate].any() for gate in b.keys() - signs.keys())
    with pytest.raises(rnnzoo.UsageError, match=rf"{cell.__name__}\.t_max is 2.*> 2"):
        cell(hidden_size=4, t_max=2.0)


def test_units_of_brc_start_with_a_memory_of_one():
    u = cells.BRC(hidden_size=5).init(KEY, 3)["u"]
    assert_close(u, {"a": jnp.ones(5), "c": jnp.ones(5)})
    banded = cells.BRC(hidden_size=5, structure={"a": structures.Diagonal(), "c": structures.Dense()})
    u = banded.init(KEY, 3)["u"]
    assert_close(u["a"], jnp.ones(5))
    assert_close(u["c"] @ u["c"].T, jnp.eye(5), 1e-6)
    asked = cells.BRC(hidden_size=5, recurrent_init=rnnzoo.initializers.Uniform(limit=0.1)).init(KEY, 3)["u"]
    assert abs(asked["a"]).max() <= 0.1


def test_fixed_forgetting_starts_between_zero_and_one_and_stays_there(x64):
    cell = cells.SubLSTM(hidden_size=2000, structure=structures.Diagonal(), fixed_forget=True)
    params = cell.init(KEY, 3)
    assert set(params["w"]) == set(params["u"]) == set(params["b"]) == {"i", "z", "o"}
    assert params["f"].min() >= 0 and params["f"].max() <= 1 and abs(params["f"].mean() - 0.5) < 0.03
    small = cells.SubLSTM(hidden_size=3, fixed_forget=True)
    params, xs = small.init(KEY, 2), inputs(5, (), 2)
    clipped = run(small, params | {"f": jnp.array([0.0, 0.4, 1.0])}, xs)
    assert_close(run(small, params | {"f": jnp.array([-3.0, 0.4, 2.0])}, xs), clipped, 1e-14)


# ---- what one cell is of another --------------------------------------------------------------------------


def renamed(params, **names):
    """The parameters of each gate of another cell, by the name that it has here."""
    return {part: {new: params[part][old] for new, old in names.items() if old in params[part]} for part in "wub"}


def test_nbrc_with_diagonals_is_brc(x64):
    cell, other = cells.BRC(hidden_size=5), cells.NBRC(hidden_size=5, structure=structures.Diagonal())
    params, xs = random_like(KEY, cell.init(KEY, 3)), inputs(6, (2,), 3)
    assert_close(run(other, params, xs), run(cell, params, xs), 1e-14)


def test_janet_with_equal_gates_is_ugrnn(x64):
    janet, ugrnn = cells.JANET(hidden_size=5, beta=0.0), cells.UGRNN(hidden_size=5)
    params, xs = random_like(KEY, janet.init(KEY, 3)), inputs(6, (2,), 3)
    assert_close(run(janet, params, xs), run(ugrnn, renamed(params, g="f", n="n"), xs), 1e-13)


def test_fast_rnn_without_a_residual_is_elman(x64):
    fast, elman = cells.FastRNN(hidden_size=5), cells.Elman(hidden_size=5)
    params, xs = fast.init(KEY, 3) | {"alpha": jnp.array(50.0), "beta": jnp.array(-50.0)}, inputs(6, (2,), 3)
    assert_close(run(fast, params, xs), run(elman, renamed(params, h="h"), xs), 1e-13)


def test_fast_grnn_is_a_gated_network_of_tied_weights(x64):
    fast, ugrnn = cells.FastGRNN(hidden_size=5), cells.UGRNN(hidden_size=5)
    params, xs = fast.init(KEY, 3) | {"zeta": jnp.array(50.0), "nu": jnp.array(-50.0)}, inputs(6, (2,), 3)
    params["b"] = random_like(KEY, params["b"])
    tied = {part: dict.fromkeys(("g", "n"), params[part]["h"]) for part in "wu"}
    tied["b"] = {"g": params["b"]["z"], "n": params["b"]["n"]}
    assert_close(run(fast, params, xs), run(ugrnn, tied, xs), 1e-13)


def test_mut2_with_a_map_of_the_input_is_a_gru_with_the_other_gate(x64):
    mut2, gru = cells.MUT2(hidden_size=5), cells.GRUResetBefore(hidden_size=5)
    params, xs = random_like(KEY, mut2.init(KEY, 3)), inputs(6, (2,), 3)
    other = renamed(params, r="r", z="z", n="n")
    for part in "wub":
        other[part]["z"] = -other[part]["z"]  # 1 - sigmoid(a) is sigmoid(-a)
    assert_close(run(mut2, params, xs), run(gru, other, xs), 1e-13)


def test_mut3_is_mut2_while_the_state_is_small(x64):
    cell, other = cells.MUT3(hidden_size=5), cells.MUT2(hidden_size=5)
    params, xs = cell.init(KEY, 3), inputs(1, (), 3)

    def both(size):
        state = {"h": size * jnp.arange(1.0, 6.0)}
        return run(cell, params, xs, state)[0], run(other, params, xs, state)[0]

    assert_close(*both(1e-5), 1e-13)  # tanh(h) - h is of third order
    a, b = both(1.0)
    assert abs(a - b).max() > 1e-3


def with_another(xs):
    """The inputs with another feature, which is 0: what needs a map."""
    return jnp.pad(xs, ((0, 0), (0, 0), (0, 1)))


@pytest.mark.parametrize(("kind", "gate"), [(cells.MUT1, "n"), (cells.MUT2, "r")])
@pytest.mark.parametrize("bias", [True, False])
def test_inputs_as_wide_as_the_state_need_no_map(x64, kind, gate, bias):
    cell = kind(hidden_size=4, bias=bias)
    params, xs = cell.init(KEY, 4), inputs(6, (2,), 4)
    assert gate not in params["w"] and gate in cell.init(KEY, 3)["w"]
    wider = {g: jnp.pad(w, ((0, 0), (0, 1))) for g, w in params["w"].items()}
    mapped = params | {"w": wider | {gate: jnp.eye(4, 5)}}
    assert_close(run(cell, params, xs), run(cell, mapped, with_another(xs)), 1e-14)


@pytest.mark.parametrize("bias", [True, False])
def test_intersection_passes_on_the_input_itself_where_widths_are_equal(x64, bias):
    cell = cells.IntersectionRNN(hidden_size=4, bias=bias)
    params, xs = cell.init(KEY, 4), inputs(6, (2,), 4)
    assert "p" not in params and cell.init(KEY, 3)["p"].shape == (4, 3)
    mapped = params | {"p": jnp.eye(4, 5)}
    if bias:
        mapped["b"] = params["b"] | {"p": jnp.zeros(4)}
        open_gate = params | {"b": params["b"] | {"gy": jnp.full(4, 500.0)}}
        assert_close(run(cell, open_gate, xs)[0], xs, 1e-14)
    assert_close(run(cell, params, xs), run(cell, mapped, with_another(xs)), 1e-14)


# ---- bounds and memory ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        cells.JANET(hidden_size=6, beta=0.0),
        cells.STAR(hidden_size=6),
        cells.STAR(hidden_size=6, beta=1.0),
        cells.MinimalRNN(hidden_size=6),
        cells.BRC(hidden_size=6),
        cells.NBRC(hidden_size=6),
        cells.MUT1(hidden_size=6),
        cells.MUT2(hidden_size=6),
        cells.MUT3(hidden_size=6),
        cells.SubLSTM(hidden_size=6),
        cells.RAN(hidden_size=6),
    ],
    ids=name,
)
def test_averages_of_bounded_candidates_are_bounded(cell):
    params = random_like(KEY, cell.init(KEY, 3), 3.0)
    ys, _ = run(cell, params, 3 * inputs(200, (2,), 3))
    assert 0.5 < abs(ys).max() < 1 + 1e-6


@pytest.mark.parametrize("start", [0.3, 2.0])
def test_cfn_decays_without_input_whatever_its_parameters(x64, start):
    cell = cells.CFN(hidden_size=6)
    params = random_like(KEY, cell.init(KEY, 3), 5.0)
    ys, _ = run(cell, params, jnp.zeros((2000, 3)), {"h": start * jax.random.normal(KEY, (6,))})
    assert (jnp.diff(abs(ys), axis=0) <= 0).all()  # every unit for itself, at every step
    assert abs(ys[-1]).max() < 0.05 < abs(ys[0]).max()


@pytest.mark.parametrize(("gain", "stable"), [(0.5, 1), (1.8, 2)])
def test_units_of_brc_have_two_stable_states_above_a_gain_of_one(x64, gain, stable):
    cell = cells.BRC(hidden_size=1)
    params = jax.tree.map(jnp.zeros_like, cell.init(KEY, 1))
    params["b"]["a"] = jnp.arctanh(jnp.array([gain - 1]))
    ends = [run(cell, params, jnp.zeros((300, 1)), {"h": jnp.array([h])})[1]["h"][0] for h in (-0.5, 0.5)]
    assert len(np.unique(np.round(ends, 6))) == stable
    for h in ends:
        assert_close(jnp.tanh(gain * h), h, 1e-9)


def test_a_state_of_ran_is_a_weighted_sum_of_contents(x64):
    cell = cells.RAN(hidden_size=4)
    params, xs = random_like(KEY, cell.init(KEY, 3)), inputs(5, (), 3)
    ys, last = run(cell, params, xs)
    h, c = np.concatenate([np.zeros((1, 4)), ys[:-1]]), np.zeros(4)
    gates = {g: 1 / (1 + np.exp(-(xs @ params["w"][g].T + params["b"][g] + h @ params["u"][g].T))) for g in "if"}
    for t in range(5):
        c += gates["i"][t] * (params["w"]["n"] @ xs[t]) * np.prod(gates["f"][t + 1 :], axis=0)
    assert_close(last["c"], c, 1e-13)


def test_atr_forgets_when_history_outweighs_the_input(x64):
    cell = cells.ATR(hidden_size=1)
    params = {"w": {"h": jnp.ones((1, 1))}, "b": {"h": jnp.zeros(1)}, "u": {"h": jnp.full((1, 1), 50.0)}}
    h, xs = jnp.ones(1), jnp.full((1, 1), 2.0)
    assert_close(run(cell, params, xs, {"h": h})[1]["h"], jnp.array([2.0]), 1e-12)  # all of x, nothing of h
    assert_close(run(cell, params, xs, {"h": -h})[1]["h"], jnp.array([-1.0]), 1e-12)


def test_decay_of_fast_rnn_is_float32_in_low_precision():
    low, high = cells.FastRNN(hidden_size=4, dtype="bfloat16"), cells.FastRNN(hidden_size=4)
    params = high.init(KEY, 3) | {"beta": jnp.array(8.5)}  # a decay of 0.9998: 1 in bfloat16
    params |= jax.tree.map(jnp.zeros_like, {part: params[part] for part in "wub"})
    states = [run(cell, params, jnp.zeros((2000, 3)), {"h": jnp.ones(4)})[1]["h"] for cell in (low, high)]
    assert_close(states[0], states[1], 1e-6)
    assert 0.5 < states[0][0] < 0.8


# ---- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [cells.JANET, cells.STAR, cells.LSTM, cells.GRU])
def test_chrono_needs_biases_and_a_time(cell):
    with pytest.raises(rnnzoo.UsageError, match=rf"{cell.__name__}\.t_max is 9\.0.*bias is False; accepted: None, or"):
        cell(hidden_size=4, t_max=9.0, bias=False)
    with pytest.raises(rnnzoo.UsageError, match=rf"{cell.__name__}\.t_max is 1.*> 1"):
        cell(hidden_size=4, t_max=1.0)
