"""Mogrifier, multiplicative, fast-slow and skip RNN, M2RNN, and real-time recurrent learning: what they promise."""

import dataclasses
import functools
import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs, random_like
from unroll_support import FEATURES, LENGTHS, RESETS, arguments, quick, values_and_gradients
from zoo import HIDDEN

import rnnzoo
from rnnzoo import cells, run, structures, unrolls, wrappers
from rnnzoo.counts import nonzeros_of
from rnnzoo.dependence import Links
from rnnzoo.wrappers.base import with_structure

KEY = jax.random.key(5)
LSTM, GRU = cells.LSTM(hidden_size=HIDDEN), cells.GRU(hidden_size=HIDDEN, structure=structures.Diagonal())
MINGRU = cells.MinGRU(hidden_size=HIDDEN)
NESTED = [
    wrappers.Zoneout(rate=0.4, cell=wrappers.Mogrifier(rounds=2, cell=wrappers.VariationalDropout(cell=GRU))),
    wrappers.DropConnect(cell=wrappers.MultiplicativeRNN(cell=wrappers.Zoneout(cell=GRU, rate=0.4))),
    wrappers.Dilated(
        cell=wrappers.FastSlow(
            cell=wrappers.Mogrifier(rounds=1, cell=wrappers.Zoneout(cell=GRU, rate=0.3)),
            slow=wrappers.MultiplicativeRNN(cell=GRU),
        )
    ),
    wrappers.SkipRNN(cell=wrappers.Clockwork(cell=wrappers.VariationalDropout(cell=GRU), periods=(1, 2))),
]


def name(cell):
    return type(cell).__name__


# ---- with other wrappers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", NESTED, ids=name)
def test_wrappers_nest_under_noise(x64, cell):
    args, options = arguments(cell), {"key": KEY, "lengths": LENGTHS, "resets": RESETS}
    got = quick(functools.partial(values_and_gradients, cell, unrolls.Scan(), **options))(args)
    assert_close(got, values_and_gradients(cell, unrolls.Loop(), args, **options))
    assert abs(run(cell, *args, key=KEY)[0] - run(cell, *args)[0]).max() > 1e-4
    assert rnnzoo.from_json(rnnzoo.to_json(cell)) == cell


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wrappers.Mogrifier(cell=cells.LRU(hidden_size=4)), "the output of LRU is made of its state and its i"),
        (lambda: wrappers.Mogrifier(cell=wrappers.Dilated(hidden_size=4)), "Dilated outside, Mogrifier inside"),
        (
            lambda: wrappers.Mogrifier(cell=wrappers.Mogrifier(hidden_size=4)).init(KEY, 3),
            "accepted: one Mogrifier in a cell",
        ),
        (
            lambda: wrappers.Mogrifier(hidden_size=4, rounds=-1),
            r"Mogrifier.rounds is -1; accepted: an integer >= 0 and <= 16",
        ),
        (lambda: wrappers.MultiplicativeRNN(cell=MINGRU), "MinGRU has no recurrent matrix U"),
        (
            lambda: wrappers.MultiplicativeRNN(cell=wrappers.MultiplicativeRNN(cell=LSTM)),
            "accepted: one MultiplicativeRNN in a cell",
        ),
        (lambda: wrappers.MultiplicativeRNN(hidden_size=3, structure=structures.ComplexDiagonal()), "3"),
        (
            lambda: wrappers.MultiplicativeIntegration(cell=wrappers.MultiplicativeRNN(cell=LSTM)).init(KEY, 3),
            "other wrappers outside",
        ),
        (lambda: wrappers.FastSlow(layers=1), "FastSlow.layers is 1; accepted: an integer >= 2 and <= 16"),
        (
            lambda: wrappers.FastSlow(cell=LSTM, slow=cells.GRU(hidden_size=3)),
            "FastSlow.hidden_size is 6 and that of its slow cell is 3; accepted",
        ),
        (lambda: wrappers.FastSlow(cell=cells.LRU(hidden_size=4)), "the output of LRU is made of its state and its i"),
        (
            lambda: wrappers.FastSlow(cell=wrappers.Zoneout(cell=LSTM), slow=wrappers.FastSlow(cell=LSTM)),
            "one FastSlow",
        ),
        (lambda: wrappers.Zoneout(cell=wrappers.FastSlow(hidden_size=4)), "FastSlow outside, Zoneout inside"),
        (lambda: wrappers.SkipRNN(cell=wrappers.Dilated(hidden_size=4)), "Dilated outside, SkipRNN inside"),
        (
            lambda: wrappers.SkipRNN(cell=wrappers.SkipRNN(cell=LSTM)).initial_state(
                wrappers.SkipRNN(cell=LSTM).init(KEY, 3)
            ),
            "accepted: one SkipRNN in a cell",
        ),
        (
            lambda: wrappers.SkipRNN(cell=cells.SRU(hidden_size=4)).init(KEY, 3),
            "SRU has parameters named 'skip', as has SkipRNN; accepted: a cell that has none",
        ),
        (lambda: cells.M2RNN(hidden_size=6, heads=4), "M2RNN.heads is 4; accepted: a number that divides hidden_size"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(rnnzoo.UsageError, match=message):
        make()


def test_a_cell_does_not_see_the_parameters_of_skip_rnn():
    """An SRU of as many inputs as units has no skip of its own, and looks whether there is one."""
    cell = wrappers.SkipRNN(cell=cells.SRU(hidden_size=4))
    params = jax.eval_shape(lambda: cell.init(KEY, 4))
    ys, _ = jax.eval_shape(lambda params: rnnzoo.run(cell, params, jnp.zeros((3, 2, 4))), params)
    assert ys.shape == (3, 2, 4)


# ---- Mogrifier -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [LSTM, GRU, MINGRU, cells.CfC(hidden_size=HIDDEN)], ids=name)
def test_a_mogrifier_with_gates_at_one_is_its_cell(x64, cell):
    """2 sigmoid(0) = 1; and no rounds are no gates."""
    params, xs, state = arguments(cell)
    options: dict[str, Any] = {"dt": jnp.abs(xs[..., 0]) + 0.1} if cell.uses_dt else {}
    expected = run(cell, params, xs, state, **options)
    mogrifier = wrappers.Mogrifier(cell=cell)
    zeros = jax.tree.map(jnp.zeros_like, mogrifier.init(KEY, FEATURES)["mogrifier"])
    assert set(zeros) == {"q1", "r2", "q3", "r4", "q5"}
    assert_close(run(mogrifier, {**params, "mogrifier": zeros}, xs, state, **options), expected, 1e-13)
    none = wrappers.Mogrifier(cell=cell, rounds=0)
    assert_close(run(none, {**params, "mogrifier": {}}, xs, state, **options), expected, 1e-13)


def test_low_rank_gates_are_products_of_their_factors_and_as_large_as_dense_ones(x64):
    low, full = (wrappers.Mogrifier(cell=LSTM, rank=rank, rounds=3) for rank in (2, None))
    params, xs, state = arguments(low)
    dense = {g: {"w": v["left"] @ v["right"], "b": v["b"]} for g, v in params["mogrifier"].items()}
    assert dense["q1"]["w"].shape == (FEATURES, HIDDEN) and dense["r2"]["w"].shape == (HIDDEN, FEATURES)
    assert_close(run(low, params, xs, state), run(full, {**params, "mogrifier": dense}, xs, state), 1e-13)
    large = wrappers.Mogrifier(hidden_size=300, rank=40).init(KEY, 200)["mogrifier"]
    assert abs((large["q1"]["left"] @ large["q1"]["right"]).std() * 300**0.5 - 0.774) < 0.03  # truncated at 2: 0.88**2


def test_a_mogrifier_gates_what_a_projected_lstm_hears(x64):
    cell = wrappers.Mogrifier(cell=cells.ProjectedLSTM(hidden_size=6, projection=2))
    params = cell.init(KEY, FEATURES)
    assert params["mogrifier"]["q1"]["w"].shape == (FEATURES, 2)
    assert run(cell, params, inputs(4, (3,), FEATURES))[0].shape == (4, 3, 2)


# ---- multiplicative RNN --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "inner", [LSTM, cells.GRU(hidden_size=HIDDEN), cells.GRUResetBefore(hidden_size=HIDDEN)], ids=name
)
def test_every_u_becomes_a_product_that_depends_on_the_input(x64, inner):
    """One step is that of the cell with U_g diag(W_m x) U_m."""
    cell = wrappers.MultiplicativeRNN(cell=inner)
    params, xs, _ = arguments(cell, 1, ())
    state = random_like(KEY, cell.initial_state(params))
    own = params["multiplicative"]
    factor = (own["w"] @ xs[0])[:, None] * own["u"]["m"]
    plain = {**params, "u": {g: u @ factor for g, u in params["u"].items()}}
    del plain["multiplicative"]
    assert_close(run(cell, params, xs, state), run(inner, plain, xs, state), 1e-12)


def test_all_recurrent_matrices_of_a_wrapper_count():
    cell = wrappers.MultiplicativeRNN(cell=LSTM, structure=structures.Diagonal())
    assert nonzeros_of(cell) == 4 * HIDDEN**2 + HIDDEN
    assert cell.num_params(3) == LSTM.num_params(3) + HIDDEN * 3 + HIDDEN
    fast_slow = wrappers.FastSlow(cell=GRU, slow=LSTM, layers=3)
    assert nonzeros_of(fast_slow) == 3 * 3 * HIDDEN + 4 * HIDDEN**2
    diagonal = with_structure(fast_slow, structures.Diagonal())
    assert set(diagonal.structures.values()) == {structures.Diagonal()} and len(diagonal.structures) == 3 * 3 + 4


@pytest.mark.parametrize("cell", [wrappers.MultiplicativeRNN(cell=LSTM), wrappers.FastSlow(cell=LSTM)], ids=name)
def test_drop_connect_drops_all_recurrent_matrices_and_nothing_else(cell):
    params = cell.init(KEY, 3)
    noisy = wrappers.DropConnect(cell=cell, rate=1.0).noisy_params(KEY, params)
    for path in cell.structures:
        *scopes, gate = path.split(".")
        us = functools.reduce(operator.getitem, [*scopes, "u"], noisy)
        assert not us[gate].any()
    changed = jax.tree.map(lambda a, b: bool((a != b).any()), params, noisy)
    assert sum(jax.tree.leaves(changed)) == len(cell.structures)


# ---- fast-slow -----------------------------------------------------------------------------------------------


def test_fast_cells_take_turns_at_one_state(x64):
    """With a slow cell whose output is 0 and fast cells that hear no input, k steps of the fast cell."""
    fast = cells.Elman(hidden_size=3)
    cell = wrappers.FastSlow(cell=fast, slow=cells.GRU(hidden_size=3), layers=3)
    params = jax.tree.map(jnp.zeros_like, cell.init(KEY, FEATURES))
    assert params["fast_2"]["w"]["h"].shape == (3, 1) and params["slow"]["w"]["z"].shape == (3, 3)
    u = random_like(KEY, params["fast_0"]["u"])
    params = {**params, **{f"fast_{i}": {**params[f"fast_{i}"], "u": u} for i in range(3)}}
    plain = {**params["fast_0"], "u": u}
    h = random_like(KEY, jnp.zeros(3))
    state = {"fast": {"h": h}, "slow": {"h": jnp.zeros(3)}}
    ys, last = run(cell, params, jnp.ones((2, FEATURES)), state)
    expected, _ = run(fast, plain, jnp.ones((6, FEATURES)), {"h": h})
    assert_close(ys, expected[2::3], 1e-13)
    assert_close(last["slow"]["h"], jnp.zeros(3), 0)


def test_slow_and_fast_cells_may_differ_and_use_the_elapsed_time(x64):
    cell = wrappers.FastSlow(cell=GRU, slow=cells.CfC(hidden_size=HIDDEN), layers=3)
    assert cell.uses_dt and not wrappers.FastSlow(cell=GRU).uses_dt
    params, xs, _ = arguments(cell)
    dt = jnp.abs(xs[..., 0]) + 0.1
    ys, _ = run(cell, params, xs, dt=dt)
    assert_close(ys, run(cell, params, xs, dt=dt, unroll=unrolls.Loop())[0], 1e-13)
    assert abs(ys - run(cell, params, xs)[0]).max() > 1e-6
    low = dataclasses.replace(cell, dtype="bfloat16")
    assert low.slow.dtype == low.cell.dtype == "bfloat16"
    assert run(low, params, xs, dt=dt)[0].dtype == jnp.bfloat16


def test_more_than_two_fast_cells_may_read_their_inputs_out(x64):
    """The last of them hears nothing that is made in the loop."""
    cell = wrappers.FastSlow(cell=cells.LRU(hidden_size=4), layers=3, slow=cells.MinGRU(hidden_size=4))
    params, xs, _ = arguments(cell)
    assert_close(run(cell, params, xs), run(cell, params, xs, unroll=unrolls.Loop()), 1e-12)


def test_every_cell_of_a_wrapper_has_its_place_in_the_network():
    cell = wrappers.FastSlow(cell=GRU, slow=cells.SLSTM(hidden_size=HIDDEN))
    placed = wrappers.FastSlow(cell=cells.SLSTM(hidden_size=HIDDEN), slow=cells.SLSTM(hidden_size=HIDDEN))
    placed = placed.at_depth(0.5, 3)
    expected = cells.SLSTM(hidden_size=HIDDEN, depth=0.5)
    assert placed == dataclasses.replace(placed, cell=expected, slow=expected)
    found = cell.at_depth(0.5, 3).init(KEY, FEATURES)["slow"]["b"]["f"]
    assert_close(found, expected.init(KEY, FEATURES)["b"]["f"], 0)
    assert abs(found - cell.init(KEY, FEATURES)["slow"]["b"]["f"]).max() > 0.1


# ---- skip RNN ------------------------------------------------------------------------------------------------


def skipping(bias):
    """A skip RNN whose probability of an update is sigmoid(bias) at every step."""
    cell = wrappers.SkipRNN(cell=LSTM)
    params, xs, state = arguments(cell, 12, ())
    return cell, {**params, "skip": {"w": jnp.zeros(HIDDEN), "b": jnp.float64(bias)}}, xs, state


@pytest.mark.parametrize(("probability", "used"), [(0.9, 12), (0.3, 6), (0.2, 4), (0.01, 1)])
def test_steps_are_left_out_until_probabilities_add_up_to_a_half(x64, probability, used):
    """After a step, n more are left out while n * probability rounds to 0."""
    cell, params, xs, _ = skipping(np.log(probability / (1 - probability)))
    ys, last, states = run(cell, params, xs, states=True)
    assert last["used"] == used == np.diff(states["used"], prepend=0.0).sum()
    moved = np.abs(np.diff(ys, axis=0)).max(1) > 0
    assert moved.tolist() == (np.diff(states["used"]) == 1).tolist()
    assert set(np.diff(states["used"], prepend=0.0).tolist()) <= {0.0, 1.0}


def test_a_skip_rnn_that_always_updates_is_its_cell(x64):
    cell, params, xs, _ = skipping(50.0)
    inner = {k: v for k, v in params.items() if k != "skip"}
    assert_close(run(cell, params, xs)[0], run(LSTM, inner, xs)[0], 1e-13)


def test_the_gate_of_a_skip_rnn_learns_from_its_budget(x64):
    """The derivative of rounding is 1: more of the bias, more steps."""
    cell, params, xs, _ = skipping(-1.0)
    slope = jax.grad(lambda p: run(cell, p, xs)[1]["used"])(params)
    assert slope["skip"]["b"] > 0 and abs(slope["skip"]["w"]).max() > 0
    assert not jnp.abs(slope["u"]["o"]).max() > 0  # w is 0: the state has no part in it
    assert wrappers.SkipRNN(cell=LSTM).init(KEY, 3)["skip"]["b"] == 1


def test_which_vector_the_gate_of_a_skip_rnn_reads():
    assert wrappers.SkipRNN(cell=cells.ProjectedLSTM(hidden_size=6)).init(KEY, 3)["skip"]["w"].shape == (6,)  # c
    assert wrappers.SkipRNN(cell=GRU).carries == ("h",)
    assert "b" not in wrappers.SkipRNN(cell=GRU, bias=False).init(KEY, 3)["skip"]


# ---- M2RNN ---------------------------------------------------------------------------------------------------


def test_m2rnn_starts_as_its_authors_have_it():
    cell = cells.M2RNN(hidden_size=4000, heads=1000, key_size=3)
    params = cell.init(KEY, 2)
    assert_close(params["transition"], jnp.broadcast_to(jnp.eye(4), (1000, 4, 4)), 0)
    a, dt = jnp.exp(params["decay"]["a"]), jax.nn.softplus(params["decay"]["dt"])
    assert 0 < a.min() and a.max() <= 16 and abs(a.mean() - 8) < 0.5
    assert dt.min() > 0.99e-3 and dt.max() < 0.101 and abs(jnp.log(dt).mean() - np.log(0.01)) < 0.15
    assert (params["d"] == 1).all() and params["w"]["q"].shape == (3000, 2)
    assert cells.M2RNN(hidden_size=4, shared_keys=True, heads=2, skip=False).init(KEY, 2)["w"]["q"].shape == (2, 2)


def test_the_state_of_an_m2rnn_is_between_minus_one_and_one():
    cell = cells.M2RNN(hidden_size=6, heads=2)
    params = random_like(KEY, cell.init(KEY, FEATURES), 3.0)
    _, _, states = run(cell, params, inputs(200, (), FEATURES), states=True)
    assert states["s"].shape == (200, 2, 3, 3) and abs(states["s"]).max() <= 1 and abs(states["s"]).max() > 0.9


def test_the_decay_of_an_m2rnn_is_float32_in_low_precision():
    low, high = (cells.M2RNN(hidden_size=4, dtype=dtype) for dtype in ("bfloat16", None))
    params = high.init(KEY, FEATURES)
    params["decay"]["a"] -= 9  # f = 0.9999...: 1 in bfloat16
    params["w"] = jax.tree.map(jnp.zeros_like, params["w"])
    s = [run(c, params, jnp.zeros((3000, FEATURES)), {"s": jnp.full((1, 4, 4), 0.5)})[1]["s"] for c in (low, high)]
    assert_close(s[0], s[1], 2e-3)
    assert abs(s[0] - 0.5).max() > 1e-4


def test_a_structure_acts_on_the_values_of_an_m2rnn(x64):
    plain = cells.M2RNN(hidden_size=8, heads=2)
    cell = dataclasses.replace(plain, structure=structures.Banded(bandwidth=1))
    params, xs, state = arguments(cell)
    u = jax.vmap(lambda u: cell.structure.matrix(u, 4))(params["transition"])
    assert_close(run(cell, params, xs, state), run(plain, {**params, "transition": u}, xs, state), 1e-13)


# ---- real-time recurrent learning ------------------------------------------------------------------------------

DIAGONAL = cells.LSTM(hidden_size=4, structure=structures.Diagonal())
ONLINE = [
    DIAGONAL,
    cells.LRU(hidden_size=4),
    cells.GRU(hidden_size=4),
    wrappers.SkipRNN(cell=wrappers.Clockwork(cell=cells.IndRNN(hidden_size=4))),
]


@pytest.mark.parametrize("cell", ONLINE, ids=name)
def test_gradients_forward_in_time_are_those_of_back_propagation(x64, cell):
    params = jax.tree.map(jnp.add, *(random_like(k, cell.init(k, 3), 0.5) for k in jax.random.split(KEY)))
    xs, wanted = inputs(5, (), 3), inputs(5, (), cell.output_size, 2)
    resets = jnp.arange(5) == 3
    online = rnnzoo.RTRL(cell, 3)

    @quick
    def gradients():
        def at(carry, inputs_t):
            x_t, wanted_t, reset_t = inputs_t
            y_t, trace = online.step(params, carry[0], x_t, reset_t)
            new = online.gradient(params, trace, 2 * (y_t - wanted_t))
            return (trace, jax.tree.map(jnp.add, carry[1], new)), y_t

        first = (online.start(params), jax.tree.map(jnp.zeros_like, params))
        (trace, total), ys = jax.lax.scan(at, first, (xs, wanted, resets))
        return ys, trace.state, total

    def loss(params):
        ys, last = run(cell, params, xs, resets=resets, unroll=unrolls.Loop())
        return ((ys - wanted) ** 2).sum(), (ys, last)

    expected, (ys, last) = jax.grad(loss, has_aux=True)(params)
    assert_close(gradients(), (ys, last, expected), 1e-11)


def test_an_initial_state_that_is_learned_has_its_influence(x64):
    @rnnzoo.spec
    class _Learned(cells.IndRNN):
        def init(self, key, input_size):
            return super().init(key, input_size) | {"first": jnp.ones(self.hidden_size)}

        def initial_state(self, params):
            return {"h": params["first"]}

    cell = _Learned(hidden_size=3)
    params, xs = cell.init(KEY, 2), inputs(1, (), 2)
    online = rnnzoo.RTRL(cell, 2)
    y, trace = online.step(params, online.start(params), xs[0])
    expected = jax.grad(lambda p: (run(cell, p, xs)[0] ** 2).sum())(params)
    assert_close(online.gradient(params, trace, 2 * y), expected, 1e-12)
    assert abs(expected["first"]).max() > 0


def test_influence_is_kept_between_what_has_to_do_with_each_other():
    def numbers(cell):
        return rnnzoo.RTRL(cell, 3).numbers

    assert numbers(DIAGONAL) == 2 * DIAGONAL.num_params(3)
    dense = cells.LSTM(hidden_size=4)
    assert numbers(dense) == 8 * dense.num_params(3)
    assert numbers(MINGRU) == MINGRU.num_params(3)
    assert numbers(cells.LRU(hidden_size=4)) == 2 * (3 * 2 + 4 * 3)  # nu, theta, gamma and B: not C and D
    blocks = cells.GRU(hidden_size=4, structure=structures.BlockDiagonal(block=2))
    assert numbers(blocks) == 2 * blocks.num_params(3)


def test_influence_that_is_too_large_is_refused():
    with pytest.raises(
        rnnzoo.UsageError, match=r"RTRL would keep 1,024 numbers of a sequence for LSTM.*limit is 1,000"
    ):
        rnnzoo.RTRL(cells.LSTM(hidden_size=4), 3, limit=1000)


def test_a_batch_of_streams_is_a_vmap():
    cell = DIAGONAL
    params, xs, online = cell.init(KEY, 3), inputs(1, (5,), 3)[0], rnnzoo.RTRL(DIAGONAL, 3)
    first = jax.tree.map(lambda a: jnp.broadcast_to(a, (5, *a.shape)), online.start(params))
    ys, traces = jax.vmap(online.step, (None, 0, 0))(params, first, xs)
    assert_close(ys, run(cell, params, xs[None])[0][0], 1e-6)
    grads = jax.vmap(online.gradient, (None, 0, 0))(params, traces, ys)
    expected = jax.grad(lambda p: (run(cell, p, xs[None])[0] ** 2).sum() / 2)(params)
    assert_close(jax.tree.map(lambda a: a.sum(0), grads), expected, 1e-5)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x * x[::-1], [[0, 3], [1, 2]]),
        (lambda x: x.reshape(2, 2).sum(1), [[0, 1], [2, 3]]),
        (lambda x: x.reshape(2, 2) @ jnp.ones((2, 3)), [[0, 1], [2, 3]]),
        (lambda x: jnp.ones((3, 2)) @ x.reshape(2, 2), [[0, 2], [1, 3]]),
        (lambda x: x[:2, None] * x[None, 2:], [[0, 1, 2, 3]]),
        (lambda x: jax.jit(jnp.tanh)(x), [[0], [1], [2], [3]]),
        (lambda x: jnp.where(x[0] > 0, x, 0.0), [[0, 1, 2, 3]]),
        (lambda x: jnp.concatenate([jnp.cumsum(x[:2]), jnp.tile(x[2:], 2)]), [[0, 1], [2], [3]]),
        (lambda x: jax.lax.fori_loop(0, 2, lambda i, a: jnp.sin(a), x), [[0, 1, 2, 3]]),  # not looked into
        (lambda x: jnp.einsum("ni,nij->nj", x.reshape(2, 2), jnp.ones((2, 2, 2))), [[0, 1], [2, 3]]),
    ],
)
def test_what_depends_on_what(function, expected):
    links = Links(4)
    links.through(jax.make_jaxpr(function)(jnp.ones(4)).jaxpr, [np.arange(4)])
    root = links.groups()
    assert [np.flatnonzero(root == r).tolist() for r in np.unique(root)] == expected


def test_cells_that_fast_slow_cannot_hold():
    grud = wrappers.FastSlow(cell=cells.GRUD(hidden_size=4))
    with pytest.raises(rnnzoo.UsageError, match="the state of GRUD depends on the size of its inputs"):
        grud.init(jax.random.key(0), 3)
    cell = wrappers.FastSlow(cell=cells.GILRLSTM(hidden_size=4), layers=3)
    params = cell.init(jax.random.key(0), 3)
    with pytest.raises(rnnzoo.UsageError, match="the output of GILRLSTM is a product with its U"):
        run(cell, params, jnp.zeros((2, 1, 3)))
