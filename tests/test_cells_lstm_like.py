"""What the documentation of the LSTM's relatives states, beyond their equations."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs, random_like

import rnnzoo
from rnnzoo import cells, run, structures

TIME, FEATURES, HIDDEN = 12, 3, 6


def drawn(cell, seed=0, scale=0.5):
    """Random parameters of a cell."""
    return random_like(jax.random.key(seed), cell.init(jax.random.key(seed), FEATURES), scale)


def with_gates(params, gates):
    """The parameters with {new name: old name} of gates, and nothing else that is a dict by gate."""
    return {part: {new: params[part][old] for new, old in gates.items()} for part in ("w", "b", "u")}


def same_gates(params, cell):
    """Those of the gates of another cell."""
    return with_gates(params, {g: g for g in cell.gates})


# ---- how parameters start --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "gates", "start"),
    [
        (cells.PeepholeLSTM(hidden_size=4), "ifgo", 1),
        (cells.CIFGLSTM(hidden_size=4), "fgo", 1),
        (cells.MultiplicativeLSTM(hidden_size=4), "ifgo", 1),
        (cells.PhasedLSTM(hidden_size=4), "ifgo", 2),
        (cells.LayerNormLSTM(hidden_size=4), "ifgo", 0),
    ],
    ids=str,
)
def test_forget_biases_at_first(cell, gates, start):
    biases = cell.init(jax.random.key(0), 3)["b"]
    assert {g: b.tolist() for g, b in biases.items()} == {g: [start * (g == "f")] * 4 for g in gates}


@pytest.mark.parametrize("name", ["PeepholeLSTM", "CIFGLSTM", "PhasedLSTM"])
def test_peepholes_at_first(name):
    p = getattr(cells, name)(hidden_size=4000, structure=structures.Diagonal()).init(jax.random.key(0), 1)["p"]
    for values in p.values():
        assert abs(values.std() - 0.1) < 0.01 and abs(values.mean()) < 0.01


def test_ur_lstm_starts_with_uniform_gates():
    cell = cells.URLSTM(hidden_size=2000, structure=structures.Diagonal())
    b = cell.init(jax.random.key(0), 1)["b"]
    f = np.sort(jax.nn.sigmoid(b["f"].astype(float)))
    assert f[0] >= 1 / 2000 and f[-1] <= 1 - 1 / 2000 + 1e-6
    np.testing.assert_allclose(f, np.linspace(0, 1, 2000), atol=0.05)
    assert_close(b["r"], -b["f"], 0)
    assert cells.URLSTM(hidden_size=1).init(jax.random.key(0), 1)["b"]["f"].tolist() == [0]


def test_slstm_forget_biases_are_a_power_law():
    first, last = (cells.SLSTM(hidden_size=8, depth=d).init(jax.random.key(0), 3)["b"]["f"] for d in (0.0, 1.0))
    assert first[0] == last[0] == 5 and first[-1] == last[-1] == -7
    assert (jnp.diff(first) < 0).all() and (last[1:-1] > first[1:-1]).all()
    np.testing.assert_allclose(first[1], 5 - 12 * (1 / 7) ** 0.3, rtol=1e-5)
    np.testing.assert_allclose(last[1], 5 - 12 * (1 / 7) ** 1.6, rtol=1e-5)


def test_phased_lstm_starts_in_its_bounds():
    cell = cells.PhasedLSTM(hidden_size=4000, structure=structures.Diagonal(), shortest=2.0, longest=5.0, ratio=0.2)
    params = cell.init(jax.random.key(0), 1)
    assert params["tau"].min() >= 2 and params["tau"].max() <= 5 and abs(params["tau"].mean() - 3.5) < 0.05
    assert params["s"].min() >= 0 and params["s"].max() <= 1000 and abs(params["s"].mean() - 500) < 20
    assert (params["r"] == jnp.float32(0.2)).all()


def test_nas_cell_has_no_biases_unless_asked_for():
    assert "b" not in cells.NASCell(hidden_size=4).init(jax.random.key(0), 3)
    assert len(cells.NASCell(hidden_size=4, bias=True).init(jax.random.key(0), 3)["b"]) == 8


# ---- limits in which two cells are one --------------------------------------------------------------------


@pytest.mark.parametrize("structure", [structures.Dense(), structures.Diagonal()], ids=str)
def test_lstm_without_its_peepholes_is_the_lstm(x64, structure):
    cell = cells.PeepholeLSTM(hidden_size=HIDDEN, structure=structure)
    params, plain = drawn(cell), cells.LSTM(hidden_size=HIDDEN, structure=structure)
    params["p"] = jax.tree.map(jnp.zeros_like, params["p"])
    xs = inputs(TIME, (2,), FEATURES)
    assert_close(run(cell, params, xs), run(plain, same_gates(params, plain), xs), 1e-14)


def test_cifg_is_the_lstm_whose_input_gate_mirrors_the_forget_gate(x64):
    cell, plain = cells.CIFGLSTM(hidden_size=HIDDEN, peepholes=False), cells.LSTM(hidden_size=HIDDEN)
    params = drawn(cell)
    both = with_gates(params, {"i": "f", "f": "f", "g": "g", "o": "o"})
    for part in both.values():
        part["i"] = -part["i"]
    xs = inputs(TIME, (2,), FEATURES)
    assert_close(run(cell, params, xs), run(plain, both, xs), 1e-14)


def test_cifg_peepholes_of_zero_are_none(x64):
    cell = cells.CIFGLSTM(hidden_size=HIDDEN)
    params, without = drawn(cell), dataclasses.replace(cell, peepholes=False)
    params["p"] = jax.tree.map(jnp.zeros_like, params["p"])
    bare = {name: value for name, value in params.items() if name != "p"}
    xs = inputs(TIME, (2,), FEATURES)
    assert_close(run(cell, params, xs), run(without, bare, xs), 1e-14)
    assert "p" not in without.init(jax.random.key(0), FEATURES)


def test_cifg_cells_stay_in_range():
    cell = cells.CIFGLSTM(hidden_size=HIDDEN)
    states = run(cell, drawn(cell, scale=5.0), 5 * inputs(200, (), FEATURES), states=True)[2]
    assert 0.9 < abs(states["c"]).max() <= 1


def test_multiplicative_lstm_with_a_factor_of_one_is_the_lstm(x64):
    cell, plain = cells.MultiplicativeLSTM(hidden_size=HIDDEN), cells.LSTM(hidden_size=HIDDEN)
    params = drawn(cell)
    params["w"]["m"], params["u"]["m"] = jnp.zeros((HIDDEN, FEATURES)).at[:, -1].set(1), jnp.eye(HIDDEN)
    xs = inputs(TIME, (2,), FEATURES).at[..., -1].set(1)
    assert_close(run(cell, params, xs), run(plain, same_gates(params, plain), xs), 1e-14)


def test_ur_lstm_whose_refine_gate_is_a_half_is_cifg(x64):
    cell, plain = cells.URLSTM(hidden_size=HIDDEN), cells.CIFGLSTM(hidden_size=HIDDEN, peepholes=False)
    params = drawn(cell)
    for part in ("w", "b", "u"):
        params[part]["r"] = jnp.zeros_like(params[part]["r"])
    xs = inputs(TIME, (2,), FEATURES)
    assert_close(run(cell, params, xs), run(plain, with_gates(params, {"f": "f", "g": "u", "o": "o"}), xs), 1e-14)


@pytest.mark.parametrize("refine", [-40.0, 40.0])
def test_ur_lstm_refines_between_the_square_and_its_mirror(x64, refine):
    cell = cells.URLSTM(hidden_size=HIDDEN)
    params = jax.tree.map(jnp.zeros_like, drawn(cell))
    f = jnp.linspace(0.05, 0.95, HIDDEN)
    params["b"] |= {"f": jnp.log(f / (1 - f)), "r": jnp.full(HIDDEN, refine)}
    last = run(cell, params, jnp.zeros((1, FEATURES)), {"c": jnp.ones(HIDDEN), "h": jnp.zeros(HIDDEN)})[1]
    assert_close(last["c"], f**2 if refine < 0 else 1 - (1 - f) ** 2, 1e-14)


def test_ct_lstm_without_time_between_events_is_the_lstm(x64):
    cell, plain = cells.CTLSTM(hidden_size=HIDDEN), cells.LSTM(hidden_size=HIDDEN)
    params, xs = drawn(cell), inputs(TIME, (2,), FEATURES)
    ys, last = run(cell, params, xs, dt=jnp.zeros((TIME, 2)))
    expected, plain_last = run(plain, same_gates(params, plain), xs)
    assert_close((ys, last["c"]), (expected, plain_last["c"]), 1e-14)


def test_ct_lstm_decays_to_its_target(x64):
    cell = cells.CTLSTM(hidden_size=HIDDEN)
    params, xs = drawn(cell), inputs(TIME, (), FEATURES)
    state = run(cell, params, xs)[1]
    there = run(cell, params, xs[:1], state, dt=jnp.full(1, 1e6))
    at_target = run(cell, params, xs[:1], {**state, "c": state["e"]}, dt=jnp.zeros(1))
    assert_close(there, at_target, 1e-12)
    assert abs(state["c"] - state["e"]).max() > 0.01 and (state["d"] > 0).all()


# ---- Phased LSTM ------------------------------------------------------------------------------------------


def phased(**fields):
    """A cell and parameters whose gate is open for the first half of every 8 time units."""
    cell = cells.PhasedLSTM(hidden_size=HIDDEN, **fields)
    fixed = {"tau": 8.0, "r": 0.5, "s": 0.0}
    return cell, drawn(cell) | {name: jnp.full(HIDDEN, value) for name, value in fixed.items()}


def test_phased_lstm_whose_gate_is_open_is_the_lstm_with_peepholes(x64):
    cell, params = phased()
    plain, xs = cells.PeepholeLSTM(hidden_size=HIDDEN), inputs(TIME, (), FEATURES)
    params["s"] = jnp.full(HIDDEN, 2.0)  # the gate's peak, at every step
    ys, last = run(cell, params, xs, dt=jnp.full(TIME, 8.0))
    expected = run(plain, same_gates(params, plain) | {"p": params["p"]}, xs)
    assert_close((ys, {k: last[k] for k in "ch"}), expected, 1e-14)


@pytest.mark.parametrize("leak", [0.0, 1e-3])
def test_phased_lstm_holds_its_state_while_closed(x64, leak):
    cell, params = phased(leak=leak)
    states = run(cell, params, inputs(16, (), FEATURES), states=True)[2]
    changes = abs(jnp.diff(states["h"], axis=0)).max(-1)  # of step 2 to step 16
    at = np.arange(2, 17) % 8
    closed = at > 4
    assert changes[(at > 0) & (at < 4)].min() > 0.01 and changes[at == 4].max() < 1e-15
    assert changes[closed].max() <= 2 * leak and (changes[closed].min() > 0) == (leak > 0)


def test_phased_lstm_gate_rises_and_falls(x64):
    cell, params = phased()
    params = jax.tree.map(jnp.zeros_like, params) | {n: params[n] for n in ("tau", "r", "s")}
    params["b"]["f"] = jnp.full(HIDDEN, -100.0)  # the cell that is mixed in is 0: c_t = (1 - k_t) * c_tm1
    state = {"c": jnp.ones(HIDDEN), "h": jnp.zeros(HIDDEN), "t": jnp.zeros(HIDDEN)}
    x, at = jnp.zeros((1, FEATURES)), [jnp.full(1, float(t)) for t in range(9)]
    gates = [1 - run(cell, params, x, state, dt=t)[1]["c"][0] for t in at]
    assert_close(np.array(gates), np.array([0, 0.5, 1, 0.5, 0, 5e-3 / 8, 6e-3 / 8, 7e-3 / 8, 0]), 1e-14)


def test_phased_lstm_counts_time_in_low_precision_and_from_a_reset():
    cell = cells.PhasedLSTM(hidden_size=HIDDEN, dtype="bfloat16")
    params, xs = drawn(cell), jnp.zeros((1000, FEATURES))
    assert run(cell, params, xs)[1]["t"].tolist() == [1000] * HIDDEN
    assert run(cell, params, xs, resets=jnp.arange(1000) == 900)[1]["t"].tolist() == [100] * HIDDEN


# ---- sLSTM ------------------------------------------------------------------------------------------------


def unstabilized(params, xs):
    """The paper's equations without m, and the input and forget gates as they are."""
    h, c, n, ys = np.zeros(HIDDEN), np.zeros(HIDDEN), np.zeros(HIDDEN), []
    for x in xs:
        s = {g: params["w"][g] @ x + params["b"][g] + params["u"][g] @ h for g in "ifzo"}
        i, f, o = np.exp(s["i"]), 1 / (1 + np.exp(-s["f"])), 1 / (1 + np.exp(-s["o"]))
        c, n = f * c + i * np.tanh(s["z"]), f * n + i
        h = o * c / n
        ys.append(h)
    return np.array(ys), c, n


def test_slstm_is_what_it_would_be_without_its_stabilizer(x64):
    cell = cells.SLSTM(hidden_size=HIDDEN, structure=structures.Dense())
    params, xs = drawn(cell), inputs(TIME, (), FEATURES)
    ys, last = run(cell, params, xs)
    expected, c, n = unstabilized(jax.tree.map(np.asarray, params), np.asarray(xs))
    assert_close(ys, expected, 1e-13)
    assert_close([last["c"] * jnp.exp(last["m"]), last["n"] * jnp.exp(last["m"])], [c, n], 1e-13)


@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_slstm_stays_finite_and_bounded(scale):
    cell = cells.SLSTM(hidden_size=HIDDEN)
    params, xs = drawn(cell, scale=scale), inputs(300, (), FEATURES)

    def total(params):
        ys, last, states = run(cell, params, xs, states=True)
        return ys.sum() + sum(leaf.mean() for leaf in last.values()), states

    (value, states), grads = jax.jit(jax.value_and_grad(total, has_aux=True))(params)
    assert np.isfinite(value) and all(np.isfinite(g).all() for g in jax.tree.leaves(grads))
    assert states["n"].min() >= 1 and (abs(states["c"]) <= states["n"]).all() and abs(states["h"]).max() <= 1


@pytest.mark.parametrize("bias", [-1e3, 1e3])
def test_slstm_input_gates_of_any_size_write_the_first_input(bias):
    cell = cells.SLSTM(hidden_size=HIDDEN)
    params, xs = drawn(cell), inputs(1, (), FEATURES)
    params["b"]["i"] = jnp.full(HIDDEN, bias)
    z, o = (xs[0] @ params["w"][g].T + params["b"][g] for g in "zo")
    ys, last = run(cell, params, xs)
    assert_close(ys[0], jax.nn.sigmoid(o) * jnp.tanh(z), 1e-6)
    assert last["n"].tolist() == [1] * HIDDEN


def test_slstm_is_finite_from_its_first_step_on():
    """m is 0 before it, not minus infinity: a state of zeros says that nothing is held."""
    cell = cells.SLSTM(hidden_size=HIDDEN)
    params, xs = drawn(cell), inputs(3, (2,), FEATURES)
    assert not any(leaf.any() for leaf in jax.tree.leaves(cell.initial_state(params)))
    for bias in (-1e4, 0.0, 1e4):
        params["b"]["i"], params["b"]["f"] = jnp.full(HIDDEN, bias), jnp.full(HIDDEN, -bias)

        def total(params, xs):
            ys, _, states = run(cell, params, xs, resets=jnp.array([[0, 1], [1, 0], [1, 0]], bool), states=True)
            return ys.sum(), states

        grads, states = jax.grad(total, (0, 1), has_aux=True)(params, xs)
        assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves((grads, states)))
        assert jnp.abs(states["m"]).max() <= 1e4 + 100


def test_slstm_holds_nothing_after_a_reset(x64):
    cell = cells.SLSTM(hidden_size=HIDDEN)
    params, xs = drawn(cell), inputs(TIME, (), FEATURES)
    resets = jnp.arange(TIME) == 5

    def after(params, xs, resets):
        return run(cell, params, xs, resets=resets)[0][5:]

    def fresh(params, xs):
        return run(cell, params, xs[5:])[0]

    both = [jax.vjp(f, params, xs) for f in (lambda p, x: after(p, x, resets), fresh)]
    assert_close(both[0][0], both[1][0], 1e-14)
    grads = [pull(jnp.ones_like(ys)) for ys, pull in both]
    assert_close(grads[0], grads[1], 1e-12)


# ---- layer normalisation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["LayerNormLSTM", "LayerNormGRU"])
@pytest.mark.parametrize("part", ["w", "u"])
def test_layer_norm_takes_out_scale_and_shift_of_weights(x64, name, part):
    cell = getattr(cells, name)(hidden_size=HIDDEN, epsilon=1e-14)
    params, xs = drawn(cell), inputs(TIME, (2,), FEATURES)
    state = random_like(jax.random.key(3), cell.initial_state(params))
    changed = params | {part: jax.tree.map(lambda w: 3 * w + jnp.arange(w.shape[1]), params[part])}
    one = params | {part: {**params[part], cell.gates[0]: 3 * params[part][cell.gates[0]]}}
    expected = run(cell, params, xs, state)
    assert_close(run(cell, changed, xs, state), expected, 1e-7)
    assert abs(run(cell, one, xs, state)[0] - expected[0]).max() > 1e-3  # they are normalised together


def test_layer_norm_lstm_leaves_its_cell_as_it_is(x64):
    cell = cells.LayerNormLSTM(hidden_size=HIDDEN)
    params, xs = drawn(cell), inputs(TIME, (), FEATURES)
    state = {"c": jnp.full(HIDDEN, 50.0), "h": jnp.zeros(HIDDEN)}
    params["b"]["f"] = jnp.full(HIDDEN, 100.0)
    assert run(cell, params, xs, state)[1]["c"].min() > 50 - TIME - 1e-9


@pytest.mark.parametrize("name", ["LayerNormLSTM", "LayerNormGRU"])
def test_layer_norm_has_gradients_where_there_is_no_variance(name):
    cell = getattr(cells, name)(hidden_size=HIDDEN)
    params, xs = cell.init(jax.random.key(0), FEATURES), jnp.zeros((3, FEATURES))
    grads = jax.grad(lambda p, x: run(cell, p, x)[0].sum(), (0, 1))(params, xs)
    assert all(np.isfinite(g).all() for g in jax.tree.leaves(grads))


# ---- ON-LSTM, NASCell -------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_on_lstm_never_writes_its_last_chunk(x64, chunk):
    cell = cells.ONLSTM(hidden_size=HIDDEN, chunk=chunk)
    params = drawn(cell)
    state = random_like(jax.random.key(1), cell.initial_state(params))
    last = run(cell, params, inputs(TIME, (), FEATURES), state)[1]
    assert_close(last["c"][-chunk:], state["c"][-chunk:], 1e-14)
    assert abs(last["c"] - state["c"])[:-chunk].min() > 1e-3


def test_on_lstm_master_gates_have_a_number_for_each_chunk():
    params = cells.ONLSTM(hidden_size=6, chunk=2).init(jax.random.key(0), 5)
    shapes = {part: {a.shape for a in gates.values()} for part, gates in params["master"].items()}
    assert shapes == {"w": {(3, 5)}, "b": {(3,)}, "v": {(3, 6)}}
    assert "b" not in cells.ONLSTM(hidden_size=6, bias=False).init(jax.random.key(0), 5)["master"]


def test_nas_cells_stay_in_range():
    cell = cells.NASCell(hidden_size=HIDDEN)
    ys, _, states = run(cell, drawn(cell, scale=5.0), 5 * inputs(200, (), FEATURES), states=True)
    assert 0.5 < abs(ys).max() <= 1 and 0.5 < abs(states["c"]).max() <= 1


# ---- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cells.ONLSTM(hidden_size=6, chunk=4), r"ONLSTM\.chunk is 4; accepted: a divisor of hidden_size, .* 6"),
        (
            lambda: cells.PhasedLSTM(hidden_size=6, shortest=9.0, longest=3.0),
            r"shortest is 9\.0; accepted: .* is 3\.0",
        ),
        (
            lambda: cells.PhasedLSTM(hidden_size=6, ratio=0.0),
            r"PhasedLSTM\.ratio is 0\.0; accepted: a number > 0 and <= 1",
        ),
        (lambda: cells.SLSTM(hidden_size=5), "BlockDiagonal.* does not fit hidden_size 5"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(rnnzoo.UsageError, match=message):
        make()
