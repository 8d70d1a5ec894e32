"""Cells that read earlier inputs, elapsed times, missing inputs or pictures: what holds besides their equations."""

import dataclasses
import functools
import json
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from references import reference_of
from support import assert_close, inputs, random_like
from unroll_support import arguments, quick, values_and_gradients
from zoo import CELLS, is_varied, marked

import rnnzoo
from rnnzoo import cells, run, structures, unrolls, wrappers
from rnnzoo.cells.histories import histories
from rnnzoo.spec import spec
from rnnzoo.structures.convolution import convolve
from rnnzoo.typing import Control
from rnnzoo.wrappers.taps import convolution

KEY = jax.random.key(0)
MASK = jnp.array([[0, 1, 0, 1, 1, 0], [1, 0, 0, 1, 0, 1], [0, 0, 0, 0, 0, 0]], bool).T
RESETS = jnp.array([[1, 1, 1, 0, 0, 1], [0, 1, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1]], bool).T
DT = jax.random.uniform(jax.random.key(4), (6, 3), minval=0.1, maxval=3.0)

PICTURES = cells.ConvLSTM(hidden_size=12, shape=(2, 3), channels=2)
AROUND = [
    wrappers.ShortConvolution(cell=cells.CfC(hidden_size=4)),
    wrappers.ShortConvolution(cell=cells.LRU(hidden_size=4), width=2),
    wrappers.ShortConvolution(cell=PICTURES),
    wrappers.TokenShift(cell=cells.CfC(hidden_size=4)),
    wrappers.TokenShift(cell=PICTURES),
    wrappers.Zoneout(cell=wrappers.ShortConvolution(cell=cells.LSTM(hidden_size=4))),
    wrappers.Dilated(cell=cells.QRNN(hidden_size=4, width=3)),
    wrappers.ProjectionConvolution(cell=cells.CfC(hidden_size=4), convolved=("a", "s")),
    wrappers.ProjectionConvolution(cell=cells.QRNN(hidden_size=4, width=3), width=2),
    wrappers.ProjectionConvolution(cell=PICTURES, activation="silu"),
    wrappers.Zoneout(cell=wrappers.TokenShift(cell=wrappers.ProjectionConvolution(cell=cells.GRU(hidden_size=4)))),
    wrappers.Dilated(
        cell=wrappers.ProjectionConvolution(cell=cells.GatedDeltaNet(hidden_size=4), convolved=("q", "v"))
    ),
    wrappers.MultiplicativeIntegration(cell=wrappers.TokenShift(cell=cells.GRU(hidden_size=4))),
]
REST = [PICTURES, cells.ConvGRU(hidden_size=6, shape=(3,)), cells.GRUD(hidden_size=4), cells.LTC(hidden_size=4)]
QUICK = [AROUND[0], AROUND[6], AROUND[11], PICTURES, REST[2]]
HISTORIES = [c for c in CELLS if histories(c)]
each_history = pytest.mark.parametrize(
    "cell", marked([*HISTORIES, *AROUND, *REST], lambda c: c in QUICK or (c in HISTORIES and is_varied(c)))
)


def random_arguments(cell: Any, time: int = 6, batch: tuple[int, ...] = (3,)) -> tuple[Any, Any, Any]:
    params, xs, _ = arguments(cell, time, batch)
    options: dict[str, Any] = {"dt": DT[:time].astype(xs.dtype)} if cell.uses_dt and batch else {}
    return params, xs, options


# ---- one step after the other ----------------------------------------------------------------------------


@each_history
def test_steps_are_the_sequence_with_resets_and_a_mask(x64, cell):
    params, xs, options = random_arguments(cell)
    stepper = rnnzoo.make_stepper(cell, params, batch=(3,), resets=True, mask=True, dt=cell.uses_dt, dtype="float64")
    state, ys = stepper.start(), []
    for t in range(6):
        now = {name: a[t : t + 1] for name, a in options.items()}
        y, state = stepper(state, xs[t : t + 1], RESETS[t : t + 1], mask=MASK[t : t + 1], **now)
        ys.append(y)
    whole = run(cell, params, xs, resets=RESETS, mask=MASK, **options)
    assert_close((jnp.concatenate(ys), state), whole, 1e-12)


@each_history
def test_lengths_and_reverse_are_those_of_single_sequences(x64, cell):
    params, xs, options = random_arguments(cell)
    lengths = [6, 0, 4]
    for reverse in (False, True):
        ys, last = run(cell, params, xs, lengths=lengths, reverse=reverse, **options)
        for lane, length in enumerate(lengths):
            one = {name: a[:length, lane] for name, a in options.items()}
            own, state = run(cell, params, xs[:length, lane], reverse=reverse, **one)
            if reverse and length:
                turned = {name: a[::-1] for name, a in one.items()}
                backward = run(cell, params, xs[:length, lane][::-1], **turned)
                assert_close((own[::-1], state), backward, 1e-12)
            assert_close(ys[:length, lane], own, 1e-12)
            assert not ys[length:, lane].any()
            assert_close(jax.tree.map(lambda a, lane=lane: a[lane], last), state, 1e-12)


@pytest.mark.parametrize("cell", marked([*AROUND, *REST[:2]], lambda c: c == PICTURES))
def test_gradients_are_those_of_the_loop(x64, cell):
    args = arguments(cell, 4, (3,))
    options = {"resets": RESETS[:4], "mask": MASK[:4]}
    scan = quick(functools.partial(values_and_gradients, cell, unrolls.Scan(), **options))(args)
    assert_close(scan, values_and_gradients(cell, unrolls.Loop(), args, **options))


# ---- wrappers of the inputs ------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [wrappers.ShortConvolution, wrappers.ProjectionConvolution, wrappers.TokenShift])
def test_an_affine_cell_stays_affine(x64, make):
    cell = make(cell=cells.MinGRU(hidden_size=4))
    assert cell.recurrence == cell.cell
    params, xs, _ = random_arguments(cell)
    scan, loop = (run(cell, params, xs, resets=RESETS, unroll=u) for u in (unrolls.Associative(), unrolls.Loop()))
    assert_close(scan, loop, 1e-12)
    assert unrolls.Associative().refuses(make(cell=cells.GRU(hidden_size=4))) is not None


def test_a_short_convolution_is_a_causal_convolution_of_each_feature(x64):
    inner = cells.LSTM(hidden_size=4)
    cell = wrappers.ShortConvolution(cell=inner, width=3, activation="identity")
    params, xs, _ = random_arguments(cell, batch=())
    conv = params["conv"]
    convolved = np.stack([np.convolve(xs[:, i], conv["w"][::-1, i])[:6] + conv["b"][i] for i in range(3)], 1)
    rest = {name: value for name, value in params.items() if name != "conv"}
    assert_close(run(cell, params, xs)[0], run(inner, rest, jnp.asarray(convolved))[0], 1e-12)
    activated = dataclasses.replace(cell, activation="silu")
    assert_close(run(activated, params, xs)[0], run(inner, rest, jax.nn.silu(jnp.asarray(convolved)))[0], 1e-12)


def test_parameters_of_the_inputs_are_beside_those_of_the_cell():
    inner = cells.LSTM(hidden_size=4)
    cell = wrappers.ShortConvolution(cell=inner, width=3)
    params = cell.init(KEY, 400)
    assert params.keys() == {*inner.init(KEY, 400), "conv"}
    for drawn in jax.tree.leaves(params["conv"]):
        assert abs(drawn).max() <= 1 / np.sqrt(3) and abs(drawn).max() > 0.55 and abs(drawn.mean()) < 0.1
    assert wrappers.ShortConvolution(cell=inner, convolution_bias=False).init(KEY, 2)["conv"].keys() == {"w"}


def test_gates_that_are_not_convolved_read_the_input_itself(x64):
    inner = cells.LSTM(hidden_size=3)
    cell = wrappers.ShortConvolution(cell=inner, convolved=("i", "f"), skip=True)
    params, xs, _ = random_arguments(cell, batch=())
    conv = params["conv"]
    window = jnp.pad(xs, ((3, 0), (0, 0)))
    y = jax.nn.silu(sum(conv["w"][j] * window[j : j + 6] for j in range(4)) + conv["b"])
    rest = inner.prepare({name: value for name, value in params.items() if name != "conv"})
    of_y, of_x = (jax.vmap(inner.project, (None, 0))(rest, read) for read in (y, xs))
    zs = {gate: of_y[gate] if gate in "if" else of_x[gate] for gate in inner.gates}
    ys = unrolls.Loop()(inner, rest, inner.initial_state(rest), zs, Control())["h"]
    assert_close(run(cell, params, xs)[0], ys + conv["skip"] * y, 1e-12)
    assert (cell.init(KEY, 3)["conv"]["skip"] == 1).all()


def test_a_skip_around_a_matrix_memory_is_there_in_every_unroll(x64):
    cell = wrappers.ShortConvolution(cell=cells.MLSTM(hidden_size=6, heads=2), convolved=("q", "k"), skip=True)
    assert unrolls.ChunkedMemory().refuses(cell) is None
    params, xs, _ = random_arguments(cell)
    chunked, loop = (
        run(cell, params, xs, resets=RESETS, unroll=u) for u in (unrolls.ChunkedMemory(chunk=4), unrolls.Loop())
    )
    assert_close(chunked, loop, 1e-12)
    silent = {**params, "conv": {**params["conv"], "skip": jnp.zeros(6)}}
    assert jnp.abs(run(cell, silent, xs, resets=RESETS)[0] - loop[0]).max() > 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wrappers.ShortConvolution(hidden_size=4, convolved=("k",)), "has 'k', no gate of Elman; known: h"),
        (lambda: wrappers.ShortConvolution(hidden_size=4, skip=True).init(KEY, 3), "accepted: the output size, which"),
        (lambda: wrappers.ShortConvolution(cell=PICTURES, skip=True), "takes inputs of 3 axes; accepted"),
        (
            lambda: wrappers.ShortConvolution(cell=wrappers.Mogrifier(hidden_size=4), convolved=("i",)).init(KEY, 3),
            "z_t of Mogrifier has no W x",
        ),
        (lambda: cells.RGLRU(hidden_size=4, projected=False).init(KEY, 3), "accepted: hidden_size, which is 4"),
        (
            lambda: wrappers.ProjectionConvolution(cell=cells.RGLRU(hidden_size=4, projected=False)),
            "accepted: a cell with gates",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_refused(make, message):
    with pytest.raises(rnnzoo.UsageError, match=message):
        make()


def test_a_recurrence_without_its_linear_layer_is_that_with_a_unit_one(x64):
    bare, whole = cells.RGLRU(hidden_size=4, heads=2, projected=False), cells.RGLRU(hidden_size=4, heads=2)
    params, xs, state = arguments(bare)
    assert params.keys() == {"v", "d", "lambda"} and xs.shape[-1] == 4
    unit = params | {"w": {"h": jnp.eye(4)}, "b": {"h": jnp.zeros(4)}}
    assert_close(run(bare, params, xs, state), run(whole, unit, xs, state), 1e-14)


@pytest.mark.parametrize(
    ("inner", "named"), [(cells.KDA, ("q", "k", "v")), (cells.Mamba2, ("x", "b", "c")), (cells.GatedDeltaNet, ())]
)
def test_a_matrix_memory_stays_one(x64, inner, named):
    cell = wrappers.ProjectionConvolution(cell=inner(hidden_size=6, heads=2), convolved=named, activation="silu")
    assert cell.recurrence == cell.cell and unrolls.ChunkedMemory().refuses(cell) is None
    params, xs, _ = random_arguments(cell)
    chunked, loop = (
        run(cell, params, xs, resets=RESETS, mask=MASK, unroll=u)
        for u in (unrolls.ChunkedMemory(chunk=2), unrolls.Loop())
    )
    assert_close(chunked, loop, 1e-12)
    assert params["conv"]["w"].keys() == {*(named or cell.gates)} == chunked[1]["z"].keys()


def test_projections_are_convolved_before_anything_else(x64):
    inner = cells.GRU(hidden_size=4)  # whose z_t has W_n x + b_n as x
    cell = wrappers.ProjectionConvolution(cell=inner, width=3, convolved=("n", "z"))
    params, xs, _ = random_arguments(cell, batch=())
    state = {"h": jnp.zeros(4), "z": {"x": jnp.zeros((2, 4)), "z": jnp.zeros((2, 4))}}
    assert_close(cell.initial_state(params), state, 0)

    @spec
    class _Shifted(cells.GRU):
        """Reads its projections from a sequence that is convolved already."""

        def project(self, params, x_t):
            return dict(zip(("n", "r", "x", "z"), jnp.split(x_t, 4), strict=True))

    zs = jax.vmap(inner.project, (None, 0))(params, xs)
    for gate, leaf in (("n", "x"), ("z", "z")):
        w, b = params["conv"]["w"][gate], params["conv"]["b"][gate]
        zs[leaf] = jnp.stack([np.convolve(zs[leaf][:, i], w[::-1, i])[:6] + b[i] for i in range(4)], 1)
    made = jnp.concatenate([zs[leaf] for leaf in sorted(zs)], 1)
    rest = {name: value for name, value in params.items() if name != "conv"}
    shifted = _Shifted(hidden_size=4)
    assert_close(run(cell, params, xs)[0], run(shifted, shifted.init(KEY, 16) | {"u": rest["u"]}, made)[0], 1e-12)


def test_sums_of_a_convolution_are_in_float32():
    w, window = jnp.array([[1.0], [1.0], [1.0]], jnp.bfloat16), jnp.array([[256.0], [1.0], [1.0]], jnp.bfloat16)
    y = convolution(w, None, window, "identity")
    assert y.dtype == jnp.bfloat16 and y[0] == 258


def test_what_no_projection_can_be_convolved_of_is_refused():
    convolved = wrappers.ProjectionConvolution(cell=cells.GRU(hidden_size=4))
    refused = [
        (
            lambda: wrappers.ProjectionConvolution(cell=cells.KDA(hidden_size=4), convolved=("q", "key")),
            "no gate of KDA; known: beta, k, q, v",
        ),
        (lambda: wrappers.ProjectionConvolution(hidden_size=4, convolved=("h", "h")), "accepted: each gate once"),
        (lambda: wrappers.ProjectionConvolution(cell=convolved), "GRU|3 projections before z_t, and Proj.* changes"),
        (lambda: wrappers.MultiplicativeIntegration(cell=convolved), "accepted: a cell without a history of proj"),
        (lambda: wrappers.MultiplicativeRNN(cell=convolved), "accepted: a cell without a history of projections"),
        (lambda: wrappers.Mogrifier(cell=convolved), "ProjectionConvolution takes a window over the past"),
        (lambda: wrappers.FastSlow(cell=convolved), "ProjectionConvolution takes a window over the past"),
        (lambda: rnnzoo.RTRL(convolved, 3), "accepted by RTRL: a cell that takes one"),
        (lambda: wrappers.ShortConvolution(cell=convolved).init(KEY, 3), "one wrapper that convolves in a cell"),
        (
            lambda: wrappers.ProjectionConvolution(cell=wrappers.Mogrifier(hidden_size=4)).init(KEY, 3),
            "z_t of Mogrifier has no W x \\+ b of 'i'.*other wrappers outside",
        ),
        (
            lambda: run(_Elsewhere(cell=convolved), convolved.init(KEY, 3), inputs(2, (), 3)),
            r"state\['z'\] of _Elsewhere has r, x, z, and z_t inner; accepted: leaves of z_t",
        ),
    ]
    for make, message in refused:
        with pytest.raises(rnnzoo.UsageError, match=message):
            make()


@spec
class _Elsewhere(wrappers.Wrapper):
    """Keeps the projections of its cell elsewhere, and says so nowhere."""

    def project(self, params, x_t):
        return {"inner": self.cell.project(params, x_t)}

    def step(self, params, state, z_t, recur):
        return self.cell.step(params, state, z_t["inner"], recur)


def test_a_token_shift_starts_and_ends_between_two_inputs(x64):
    inner = cells.LSTM(hidden_size=4)
    cell = wrappers.TokenShift(cell=inner, ratio=0.5)
    params, xs, _ = random_arguments(cell, batch=())
    assert_close(cell.init(KEY, 4)["mix"], np.sqrt([0, 0.25, 0.5, 0.75]), 1e-7)
    rest = {name: value for name, value in params.items() if name != "mix"}
    for mix, read in ((1.0, xs), (0.0, jnp.pad(xs, ((1, 0), (0, 0)))[:-1])):
        assert_close(run(cell, {**rest, "mix": jnp.full(3, mix)}, xs)[0], run(inner, rest, read)[0], 1e-14)


@pytest.mark.parametrize("make", [wrappers.ShortConvolution, wrappers.TokenShift])
def test_times_are_not_mixed(x64, make):
    cell = make(cell=cells.CfC(hidden_size=4))
    params, xs, options = random_arguments(cell)
    seen = []
    for dt in (options["dt"], options["dt"].at[2].mul(2)):
        seen.append(run(cell, params, xs, dt=dt, states=True)[2])
    assert_close(seen[0]["h"][:2], seen[1]["h"][:2], 0)
    # The step after reads the time of the one before only through the state h.
    again = [run(cell, params, xs[3:], jax.tree.map(lambda a: a[2], s), dt=options["dt"][3:])[0] for s in seen]
    same = {**jax.tree.map(lambda a: a[2], seen[1]), "h": seen[0]["h"][2]}
    assert abs(again[0] - again[1]).max() > 1e-4
    assert_close(run(cell, params, xs[3:], same, dt=options["dt"][3:])[0], again[0], 0)


@pytest.mark.parametrize("make", [wrappers.ShortConvolution, wrappers.TokenShift])
def test_a_cell_with_a_history_is_refused(make):
    message = "QRNN reads 1 inputs before x_t, and .* accepted: a cell without a history of inputs"
    with pytest.raises(rnnzoo.UsageError, match=message):
        make(cell=cells.QRNN(hidden_size=4))


# ---- quasi-recurrent and strongly typed cells ------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["f", "fo"])
def test_a_qrnn_averages_numbers_between_minus_one_and_one(pooling):
    cell = cells.QRNN(hidden_size=6, width=3, pooling=pooling)
    params = random_like(KEY, cell.init(KEY, 3), 3.0)
    ys, _ = run(cell, params, inputs(50, (), 3))
    assert 0.5 < abs(ys).max() <= 1
    assert set(params["w"]) == set("z" + pooling) and params["w"]["z"].shape == (6, 3, 3)


def test_a_t_lstm_averages_what_it_has_seen():
    cell = cells.TLSTM(hidden_size=6)
    params, xs, _ = random_arguments(cell, batch=())
    candidates = xs @ params["w"]["z"].T + jnp.pad(xs, ((1, 0), (0, 0)))[:-1] @ params["v"]["z"].T + params["b"]["z"]
    states = run(cell, params, xs, states=True)[2]["h"]
    low, high = (f.accumulate(np.pad(candidates, ((1, 0), (0, 0))))[1:] for f in (np.minimum, np.maximum))
    assert (low <= states).all() and (states <= high).all() and (low[-1] < high[-1]).all()


# ---- closed-form and liquid cells ------------------------------------------------------------------------


def test_stored_cfc_is_gated():
    stored = json.loads(rnnzoo.to_json(cells.CfC(hidden_size=4)))
    stored.pop("mode")
    assert rnnzoo.from_json(json.dumps(stored)) == cells.CfC(hidden_size=4, mode="gated")
    assert cells.CfC(hidden_size=4).init(KEY, 3).keys() == {"w", "b", "u"}


@pytest.mark.parametrize("mode", ["gated", "no-gate", "pure"])
def test_modes_of_cfc_in_the_limits_of_time(x64, mode):
    cell, xs = cells.CfC(hidden_size=4, mode=mode), inputs(1, (), 3)
    params = random_like(KEY, cell.init(KEY, 3))
    z = {g: params["w"][g] @ xs[0] + params["b"][g] for g in cell.gates}
    if mode == "pure":
        expected = params["A"] * (1 - z["a"]), params["A"]
    else:
        a, b = jnp.tanh(z["a"]), jnp.tanh(z["b"])
        limits = jax.nn.sigmoid(z["r"]), (z["s"] > 0).astype(float)
        expected = tuple((a if mode == "no-gate" else (1 - m) * a) + m * b for m in limits)
    for dt, limit in zip((0.0, 1e9), expected, strict=True):
        assert_close(run(cell, params, xs, dt=jnp.full(1, dt))[0][0], limit, 1e-12)


def test_a_pure_cfc_starts_without_its_decay():
    params = cells.CfC(hidden_size=4, mode="pure").init(KEY, 3)
    assert params.keys() == {"w", "b", "u", "tau", "A"} and not params["tau"].any() and (params["A"] == 1).all()
    assert params["w"].keys() == {"a"}


def test_liquid_potentials_stay_between_the_reversal_potentials():
    """Theorem 2 of the paper; with a large step, too."""
    cell = cells.LTC(hidden_size=6, unfolds=2)
    params = cell.init(KEY, 3)
    xs = 10 * inputs(200, (), 3)
    states = run(cell, params, xs, dt=jnp.full(200, 30.0), states=True)[2]["h"]
    assert abs(states).max() <= 1 and abs(states).max() > 0.5


def test_liquid_time_is_divided_into_steps_of_the_solver(x64):
    once, twice = cells.LTC(hidden_size=6, unfolds=4), cells.LTC(hidden_size=6, unfolds=2)
    params = random_like(KEY, once.init(KEY, 3))
    xs = jnp.broadcast_to(inputs(1, (), 3), (2, 3))
    whole = run(once, params, xs[:1], dt=jnp.full(1, 0.7))[1]
    assert_close(run(twice, params, xs, dt=jnp.full(2, 0.35))[1], whole, 1e-12)
    still, moved = (run(once, params, xs[:1], {"h": jnp.ones(6)}, dt=jnp.full(1, dt))[1]["h"] for dt in (0.0, 0.1))
    assert_close(still, jnp.ones(6), 1e-14)
    assert abs(moved - 1).max() > 1e-3
    grads = jax.grad(lambda p: run(once, p, xs, dt=jnp.zeros(2))[0].sum())(params)
    assert all(jnp.isfinite(g).all() for g in jax.tree.leaves(grads))


def test_liquid_synapses_start_in_the_authors_ranges():
    params = cells.LTC(hidden_size=60).init(KEY, 40)
    ranges = {"w": (0.001, 1), "mu": (0.3, 0.8), "sigma": (3, 8)}
    for part, shape in (("synapse", (60, 60)), ("sensory", (60, 40))):
        for name, (low, high) in ranges.items():
            a = params[part][name]
            assert a.shape == shape and low <= a.min() < low + 0.02 * high and high * 0.98 < a.max() <= high
        assert set(np.unique(params[part]["e"])) == {-1, 1} and abs((params[part]["e"] > 0).mean() - 2 / 3) < 0.05
    assert cells.LTC(hidden_size=4, bias=False).init(KEY, 3)["input"].keys() == {"w"}


def opposite(params: Any) -> Any:
    """Parameters of a GRU whose gate z is 1 - z."""
    return {part: {g: -a if g == "z" else a for g, a in of.items()} for part, of in params.items()}


# ---- missing inputs --------------------------------------------------------------------------------------


def missing(xs: Any) -> Any:
    return jnp.where(jax.random.bernoulli(jax.random.key(9), 0.4, xs.shape), jnp.nan, xs)


@pytest.mark.parametrize("fields", [{}, {"means": (0.5, -1.0, 2.0)}, {"bias": False}], ids=str)
def test_missing_inputs_are_the_paper(x64, fields):
    cell = cells.GRUD(hidden_size=5, **fields)
    params = random_like(KEY, cell.init(KEY, 3))
    xs, dt = missing(inputs(8, (), 3)), jax.random.uniform(jax.random.key(2), (8,), jnp.float64)
    state = cell.initial_state(params)
    p, s = jax.tree.map(np.asarray, (params, state))
    p.setdefault("b", dict.fromkeys("rzn", np.zeros(5)))
    expected = reference_of(cells.GRUD)(cell, p, np.asarray(xs), s, np.asarray(dt))
    assert_close(run(cell, params, xs, dt=dt), expected, 1e-12)


@pytest.mark.parametrize("unroll", [unrolls.Scan(), unrolls.Loop()], ids=str)
def test_missing_inputs_have_finite_gradients(unroll):
    cell = cells.GRUD(hidden_size=4)
    params = jax.tree.map(lambda a: a + 0.1, cell.init(KEY, 3))
    xs = missing(inputs(6, (3,), 3)).at[0].set(jnp.nan)

    def loss(params, xs):
        return (run(cell, params, xs, lengths=[6, 0, 4], resets=RESETS, unroll=unroll)[0] ** 2).sum()

    by_params, by_xs = jax.grad(loss, (0, 1))(params, xs)
    assert all(jnp.isfinite(g).all() and g.any() for g in jax.tree.leaves(by_params))
    assert jnp.isfinite(by_xs).all() and not by_xs[jnp.isnan(xs)].any() and by_xs[:, 0][~jnp.isnan(xs[:, 0])].all()


def test_what_was_seen_last_and_when():
    cell = cells.GRUD(hidden_size=4, means=(5.0, 6.0))
    params = cell.init(KEY, 2)
    xs = jnp.array([[np.nan, 1], [2, np.nan], [np.nan, np.nan], [np.nan, 3]])
    states = run(cell, params, xs, dt=jnp.array([0, 0.5, 2, 1]), states=True)[2]
    assert_close(states["last"], jnp.array([[5.0, 1], [2, 1], [2, 1], [2, 3]]), 0)
    assert_close(states["age"], jnp.array([[0, 0], [0, 0.5], [2, 2.5], [3, 0]]), 0)
    with pytest.raises(rnnzoo.UsageError, match=r"GRUD.means is \(5.0, 6.0\) for inputs of 3 features; accepted"):
        cell.init(KEY, 3)


def test_a_gru_d_that_sees_everything_is_a_gru(x64):
    cell, gru = cells.GRUD(hidden_size=4), cells.GRUResetBefore(hidden_size=4)
    params = cell.init(KEY, 3)
    biases = {g: b + params["v"][g].sum(1) for g, b in params["b"].items()}
    xs = inputs(6, (3,), 3)
    plain = opposite({"w": params["w"], "b": biases, "u": params["u"]})
    assert_close(run(cell, params, xs, dt=DT.astype(float))[0], run(gru, plain, xs)[0], 1e-12)


def test_decays_of_a_gru_d_learn_from_the_start():
    cell = cells.GRUD(hidden_size=4, means=(1.0, 1.0, 1.0))
    xs = missing(inputs(6, (3,), 3))
    grads = jax.grad(lambda p: run(cell, p, xs)[0].sum())(cell.init(KEY, 3))
    assert all(g.all() for g in jax.tree.leaves((grads["decay"], grads["decay_b"])))


# ---- pictures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [(5,), (4, 3), (2, 3, 2)], ids=str)
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_a_convolution_is_that_of_deep_learning(x64, places, kernel):
    w = jax.random.normal(KEY, (2, *[kernel] * len(places), 3))
    x = jax.random.normal(KEY, (*places, 3))
    axes = "DHW"[: len(places)]
    expected = lax.conv_general_dilated(
        x[None], w, [1] * len(places), "SAME", dimension_numbers=(f"N{axes}C", f"O{axes}I", f"N{axes}C")
    )[0]
    assert_close(convolve(w, x), expected, 1e-12)


def test_without_a_shape_they_are_the_plain_cells(x64):
    xs = inputs(5, (2,), 3)
    lstm, gru = cells.LSTM(hidden_size=4), cells.GRUResetBefore(hidden_size=4)
    for ours, plain in ((cells.ConvLSTM(hidden_size=4, peephole=False), lstm), (cells.ConvGRU(hidden_size=4), gru)):
        params = random_like(KEY, plain.init(KEY, 3))
        assert jax.tree.map(jnp.shape, ours.init(KEY, 3)) == jax.tree.map(jnp.shape, params)
        assert_close(run(ours, params, xs), run(plain, opposite(params), xs), 1e-12)
    params = cells.ConvLSTM(hidden_size=4).init(KEY, 3)
    peephole = params.pop("peephole")
    assert not any(leaf.any() for leaf in peephole.values()) and (params["b"]["f"] == 1).all()


@pytest.mark.parametrize("shape", [(5,), (3, 4)], ids=str)
@pytest.mark.parametrize("make", [cells.ConvLSTM, cells.ConvGRU])
def test_inputs_are_arrays_of_one_or_two_axes_in_a_batch(x64, make, shape):
    cell = make(hidden_size=2 * math.prod(shape), shape=shape, channels=2)
    params = random_like(KEY, cell.init(KEY, (*shape, 3)))
    xs = jax.random.normal(KEY, (4, 2, *shape, 3))
    ys, last = run(cell, params, xs)
    assert ys.shape == (4, 2, cell.hidden_size)
    alone = run(cell, params, xs[:, 1])
    assert_close((ys[:, 1], jax.tree.map(lambda a: a[1], last)), alone, 1e-12)
    grads = jax.grad(lambda xs: run(cell, params, xs)[0].sum())(xs)
    assert grads.shape == xs.shape and jnp.abs(grads).min() > 0


@pytest.mark.parametrize("make", [cells.ConvLSTM, cells.ConvGRU])
def test_what_moves_in_a_picture_moves_the_output(x64, make):
    cell = make(hidden_size=2 * 9 * 9, shape=(9, 9), channels=2)
    params = random_like(KEY, cell.init(KEY, (9, 9, 1)))
    params["b"] = jax.tree.map(jnp.zeros_like, params["b"])
    params.pop("peephole", None)
    cell = dataclasses.replace(cell, peephole=False) if make is cells.ConvLSTM else cell
    xs = jnp.zeros((2, 9, 9, 1)).at[0, 4, 4].set(1.0).at[1, 3, 4].set(-1.0)
    here, there = (run(cell, params, jnp.roll(xs, d, (1, 2)))[0].reshape(2, 9, 9, 2) for d in ((0, 0), (1, -1)))
    assert_close(there, jnp.roll(here, (1, -1), (1, 2)), 1e-12)
    assert abs(here).max() > 0.01


def test_any_structure_takes_the_place_of_the_convolution(x64):
    params, xs, _ = random_arguments(PICTURES)
    dense = dataclasses.replace(PICTURES, structure=structures.Dense())
    u = {g: PICTURES.structure_of(g).matrix(u, 12) for g, u in params["u"].items()}
    assert_close(run(dense, {**params, "u": u}, xs)[0], run(PICTURES, params, xs)[0], 1e-12)
    newton = dataclasses.replace(PICTURES, structure=structures.Diagonal())
    params, xs, _ = random_arguments(newton)
    assert_close(run(newton, params, xs, unroll=unrolls.Newton()), run(newton, params, xs), 1e-8)


@pytest.mark.parametrize(
    ("fields", "accepted"),
    [
        ({"hidden_size": 10, "shape": (2, 3)}, "accepted: a multiple of 6"),
        ({"hidden_size": 10, "shape": (2, 3), "channels": 2}, "accepted: 12"),
        ({"hidden_size": 4, "channels": 2}, "accepted: 2"),
    ],
)
def test_units_that_do_not_fill_the_places_are_refused(fields, accepted):
    with pytest.raises(rnnzoo.UsageError, match=f"ConvGRU.hidden_size is .*; {accepted}"):
        cells.ConvGRU(**fields)


def test_inputs_of_another_shape_are_refused():
    with pytest.raises(
        rnnzoo.UsageError, match=r"inputs of ConvLSTM have the shape \(3, 2, 1\); accepted: \(2, 3, 1\)"
    ):
        run(PICTURES, PICTURES.init(KEY, (2, 3, 1)), jnp.zeros((4, 3, 2, 1)))


def test_a_convolution_of_a_picture_starts_at_a_spectral_radius_of_about_1(x64):
    structure = structures.Convolution(shape=(12, 12))
    u = structure.init(KEY, 288)
    assert u.shape == (2, 3, 3, 2)
    assert 0.85 <= np.abs(np.linalg.eigvals(structure.matrix(u, 288))).max() <= 1.1
