"""CuDNN with JAX's own reference in the kernel's place, what it refuses, and what Auto chooses."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import pytest
from jax.experimental import rnn
from support import assert_close, random_like
from unroll_support import BATCH, FEATURES, LENGTHS, TIME, arguments, loss
from zoo import CELLS, HIDDEN, PAIRS, is_traced, label, parameters

import rnnzoo
from rnnzoo import cells, run, structures, unrolls, wrappers
from rnnzoo.cells.base import Affine
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.typing import Control
from rnnzoo.unrolls.auto import CHEAP, _numbers
from rnnzoo.unrolls.cudnn import GATES, _is_lstm, pack

LSTM = cells.LSTM(hidden_size=HIDDEN)

# ---- cuDNN -------------------------------------------------------------------------------------------------


@pytest.fixture
def reference(monkeypatch):
    """JAX's plain implementation of what the kernel computes."""

    def lstm(x, h, c, weights, lengths, input_size, hidden_size, layers, dropout, bidirectional):
        parts = rnn.unpack_lstm_weights(weights, input_size, hidden_size, layers, bidirectional)
        assert weights.shape == (rnn.get_num_params_in_lstm(input_size, hidden_size, layers, bidirectional),)
        assert lengths.dtype == jnp.int32
        return rnn.lstm_ref(x, h, c, *parts, lengths, input_size, hidden_size, layers, dropout, bidirectional)

    monkeypatch.setattr(rnn, "lstm", lstm)


@pytest.mark.parametrize("bias", [True, False])
def test_weights_are_packed_as_cudnn_has_them(bias):
    cell = dataclasses.replace(LSTM, bias=bias)
    params = random_like(jax.random.key(0), cell.init(jax.random.key(0), FEATURES))
    w, u, b, second = rnn.unpack_lstm_weights(pack(params), FEATURES, HIDDEN, 1, False)
    for k, gate in enumerate(GATES):
        rows = slice(k * HIDDEN, (k + 1) * HIDDEN)
        assert_close((w[0][rows], u[0][rows]), (params["w"][gate], params["u"][gate]), 0)
        assert_close(b[0][rows], params["b"][gate] if bias else jnp.zeros(HIDDEN), 0)
    assert not second[0].any()


def sequences(lengths, is_reversed):
    active = None if lengths is None else jnp.arange(TIME)[:, None] < lengths
    return Control(active=active[::-1] if active is not None and is_reversed else active)


@pytest.mark.parametrize(("lengths", "is_reversed"), [(None, False), (LENGTHS, False), (LENGTHS, True)])
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_those_of_the_loop(reference, bias, lengths, is_reversed):
    cell = dataclasses.replace(LSTM, bias=bias)
    args = arguments(cell)

    def total(args):
        params, xs, state = args
        xs = xs[::-1] if is_reversed else xs
        ys, last, _ = unrolls.CuDNN().apply(cell, cell.prepare(params), state, xs, sequences(lengths, is_reversed))
        ys = ys[::-1] if is_reversed else ys
        weights = jnp.cos(jnp.arange(ys.size, dtype=ys.dtype)).reshape(ys.shape)
        return (weights * ys**2).sum() + sum((leaf**3).sum() for leaf in last.values()), (ys, last)

    options = {"lengths": lengths, "reverse": is_reversed}
    expected = jax.value_and_grad(lambda args: loss(cell, unrolls.Loop(), *args, options=options), has_aux=True)(args)
    assert_close(jax.value_and_grad(total, has_aux=True)(args), expected, 1e-5)


def test_a_mask_leaves_out_any_steps(reference):
    params, xs, state = arguments(LSTM)
    mask = jax.random.bernoulli(jax.random.key(4), 0.6, (TIME, BATCH)).at[:, 0].set(False)
    found = unrolls.CuDNN().apply(LSTM, LSTM.prepare(params), state, xs, Control(active=mask))
    assert_close(tuple(found[:2]), run(LSTM, params, xs, state, mask=mask), 1e-5)


@pytest.mark.parametrize("shape", [(0, BATCH), (TIME, 0)])
def test_no_steps_and_no_sequences(shape):
    params, xs, state = arguments(LSTM, *[shape[0], (shape[1],)])
    ys, last, _ = unrolls.CuDNN().apply(LSTM, params, state, xs, Control())
    assert ys.shape == (*shape, HIDDEN)
    assert_close(last, state, 0)


def test_shapes_abstractly(reference):
    params, xs, state = arguments(LSTM)
    call = functools.partial(unrolls.CuDNN().apply, LSTM, controls=sequences(LENGTHS, False))
    ys, last, _ = jax.eval_shape(call, params, state, xs)
    assert ys.shape == (TIME, BATCH, HIDDEN) and {a.shape for a in last.values()} == {(BATCH, HIDDEN)}


def test_the_kernel_is_told_the_order_in_memory(reference):
    """Without it, XLA may give the kernel time-major arrays: wrong numbers and no error, seen on an H100."""
    params, xs, state = arguments(LSTM)
    call = functools.partial(unrolls.CuDNN().apply, LSTM, controls=Control())
    program = jax.make_jaxpr(jax.grad(lambda *args: (call(*args).ys ** 2).sum(), 2))(params, state, xs)
    orders = [str(e.params["layout"].major_to_minor) for e in program.eqns if e.primitive.name == "layout_constraint"]
    inputs, outputs, cotangents = 3, 3, 2  # the states' cotangents are not needed here
    assert orders == ["(0, 1, 2)"] * (inputs + outputs + cotangents)


@parameters("cell", [c for c in PAIRS if type(c) is cells.LSTM] + CELLS, is_traced)
def test_which_cells_are_cudnns_abstractly(cell):
    """Those whose step is the LSTM's, with a matrix (H, H) in the prepared parameters."""
    params = jax.eval_shape(lambda: cell.prepare(cell.init(jax.random.key(0), FEATURES)))
    plain = (wrappers.DropConnect, wrappers.VariationalDropout)  # without noise, they are what they wrap
    is_lstm = isinstance(cell.cell if isinstance(cell, plain) else cell, cells.LSTM)
    shapes = {jnp.shape(leaf) for leaf in jax.tree.leaves(params["u"])} if is_lstm else set()
    u = jax.random.normal(jax.random.key(0), (HIDDEN, HIDDEN))
    structure = next(iter(cell.structures.values()), None)
    if is_lstm and structure is not None and isinstance(params["u"]["i"], jax.ShapeDtypeStruct):
        columns = jax.vmap(structure.matvec, (None, 0), 1) if shapes == {u.shape} else None
        is_matrix = columns is not None and bool(jnp.allclose(columns(u, jnp.eye(HIDDEN)), u))
        assert _is_lstm(cell) == is_matrix
    else:
        assert not _is_lstm(cell)


def test_what_is_refused_and_why():
    said = unrolls.CuDNN().refuses(LSTM)
    assert said is not None and said.startswith("CuDNN runs LSTM on CUDA devices; the default device is cpu")
    assert "does not compute the LSTM of cuDNN" in str(unrolls.CuDNN().refuses(cells.GRU(hidden_size=4)))
    diagonal = dataclasses.replace(LSTM, structure=structures.Diagonal())
    assert "with dense U" in str(unrolls.CuDNN().refuses(diagonal))
    assert "with dense U" in str(unrolls.CuDNN().refuses(wrappers.Zoneout(cell=LSTM)))
    half = dataclasses.replace(LSTM, dtype="bfloat16")
    assert unrolls.CuDNN().refuses(half) == "dtype of LSTM is bfloat16; CuDNN runs float32"
    params, xs, state = arguments(LSTM)
    with pytest.raises(rnnzoo.UsageError, match="the default device is cpu"):
        run(LSTM, params, xs, unroll=unrolls.CuDNN())
    with pytest.raises(rnnzoo.UsageError, match="accepted with resets: Scan"):
        unrolls.CuDNN().apply(LSTM, params, state, xs, Control(reset=jnp.zeros((TIME, BATCH), bool)))
    with pytest.raises(rnnzoo.UsageError, match="cannot add the noise"):
        unrolls.CuDNN().apply(LSTM, params, state, xs, Control(noise=jnp.zeros((TIME, BATCH), bool)))
    with pytest.raises(rnnzoo.UsageError, match="xs of LSTM are not all float32"):
        unrolls.CuDNN().apply(LSTM, params, state, xs.astype(jnp.bfloat16), Control())


def test_a_large_cell_is_refused_without_a_step_of_its_size(monkeypatch):
    def trial(cell):
        raise AssertionError("28 GB for 30,000 units")

    monkeypatch.setattr("rnnzoo.unrolls.cudnn._is_lstm", trial)
    said = unrolls.CuDNN().refuses(cells.LSTM(hidden_size=30_000))
    assert said is not None and "on CUDA devices" in said
    assert "with dense U" in str(unrolls.CuDNN().refuses(cells.GRU(hidden_size=30_000)))


# ---- Auto ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS, ids=label)
def test_on_a_cpu_it_is_the_scan(cell):
    for time in (0, 1):
        assert unrolls.Auto().choose(cell, time, 8, "cpu")[0] == unrolls.Scan()
    unroll, reason = unrolls.Auto().choose(cell, 100_000, 8, "cpu")
    if isinstance(cell.recurrence, MatrixMemory):
        assert unroll == unrolls.ChunkedMemory() and reason.startswith("matrix products")
    else:
        assert unroll == unrolls.Scan() and reason.startswith("on a CPU")
    assert unrolls.Auto().refuses(cell) is None


def is_cheap_affine(cell):
    inner = cell.recurrence
    return isinstance(inner, Affine) and _numbers(inner.transition, inner.state_size) <= CHEAP * inner.state_size


@pytest.mark.parametrize("cell", CELLS, ids=label)
def test_on_a_gpu_affine_cells_run_in_parallel_once_it_pays(cell):
    for time, is_long in ((1, False), (31, False), (32, True)):
        unroll, reason = unrolls.Auto().choose(cell, time, None, "gpu")
        expected = unrolls.Associative() if is_cheap_affine(cell) and is_long else unrolls.Scan()
        if isinstance(cell.recurrence, MatrixMemory) and time > 1:
            expected = unrolls.ChunkedMemory()
        assert unroll == expected and reason


def test_cudnn_is_chosen_for_its_cell_and_whole_batches(monkeypatch, reference):
    refuses = unrolls.CuDNN.refuses

    def on_a_gpu(self, cell):
        said = refuses(self, cell)
        return None if said and "default device" in said else said

    monkeypatch.setattr(unrolls.CuDNN, "refuses", on_a_gpu)
    monkeypatch.setattr("rnnzoo.unrolls.auto._default_device", lambda: "gpu")
    unroll, reason = unrolls.Auto().choose(LSTM, TIME, BATCH)
    assert unroll == unrolls.CuDNN() and reason.startswith("cuDNN has this cell")
    assert unrolls.Auto().choose(LSTM, TIME)[0] == unrolls.Scan()
    assert unrolls.Auto().choose(cells.LSTM(hidden_size=257), TIME, BATCH)[0] == unrolls.Scan()
    assert unrolls.Auto().choose(cells.GRU(hidden_size=4), TIME, BATCH)[0] == unrolls.Scan()
    params, xs, state = arguments(LSTM)
    expected = run(LSTM, params, xs, state)
    assert_close(tuple(unrolls.Auto().apply(LSTM, params, state, xs, Control())[:2]), expected, 1e-5)


def test_the_reason_names_what_this_host_lacks():
    unroll, reason = unrolls.Auto().choose(LSTM, 1000, 32, "gpu")
    assert unroll == unrolls.Scan()
    assert reason.endswith("; not CuDNN: CuDNN runs LSTM on CUDA devices; the default device is cpu")


def test_unknown_devices_are_refused():
    with pytest.raises(rnnzoo.UsageError, match="device is 'cuda'; accepted: one of 'cpu', 'gpu', 'tpu'"):
        unrolls.Auto().choose(LSTM, 1000, 32, "cuda")


def test_auto_is_what_it_chooses():
    params, xs, state = arguments(LSTM)
    assert_close(run(LSTM, params, xs, state, unroll=unrolls.Auto()), run(LSTM, params, xs, state), 1e-6)
