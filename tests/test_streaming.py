"""A stepper gives what `run` gives, any number of steps and streams at a time."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs
from unroll_support import FEATURES, arguments
from zoo import CELLS, HIDDEN, is_varied, parameters

import rnnzoo
from rnnzoo import cells, make_model_stepper, make_stepper, run, structures
from rnnzoo.models import Model, Stack


def stream(stepper, xs, resets=None):
    """Outputs over all of xs, and the last state."""
    state, ys, steps = stepper.start(), [], stepper.accepted["xs"].shape[0]
    for t in range(0, len(xs), steps):
        y, state = stepper(state, xs[t : t + steps], *([] if resets is None else [resets[t : t + steps]]))
        ys.append(y)
    return jnp.concatenate(ys), state


@parameters("cell", CELLS, is_varied)
def test_outputs_and_state_are_those_of_run(x64, cell):
    params, xs, _ = arguments(cell)
    resets = jnp.array([[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0]], bool)
    expected = run(cell, params, xs, resets=resets)
    assert_close(stream(make_stepper(cell, params, batch=(3,), steps=2, resets=True), xs, resets), expected, 1e-13)


@pytest.mark.parametrize(("batch", "steps"), [((), 1), ((), 4), ((3,), 1), ((2, 2), 4)])
def test_any_number_of_streams_and_steps(x64, batch, steps):
    cell = cells.GRU(hidden_size=HIDDEN, structure=structures.Diagonal())
    params, xs, _ = arguments(cell, 4, batch)
    assert_close(stream(make_stepper(cell, params, batch=batch, steps=steps), xs), run(cell, params, xs), 1e-13)


def test_the_compute_dtype_is_kept_and_constrained_matrices_are_prepared_once():
    cell = cells.Elman(hidden_size=HIDDEN, structure=structures.Cayley(), dtype="bfloat16")
    params, xs, _ = arguments(cell)
    stepper = make_stepper(cell, params, batch=(3,))
    ys, state = stream(stepper, xs)
    expected = run(cell, params, xs)
    assert ys.dtype == jnp.bfloat16 and state["h"].dtype == jnp.float32
    assert_close((ys.astype(jnp.float32), state), (expected[0].astype(jnp.float32), expected[1]), 1e-2)
    program = stepper.compiled.as_text()
    assert "jit(solve)" not in program and "getrf" not in program  # the decomposition is made once


def test_a_state_is_given_up_and_a_new_start_is_not():
    cell = cells.Elman(hidden_size=HIDDEN)
    stepper = make_stepper(cell, cell.init(jax.random.key(0), FEATURES))
    state = stepper.start()
    stepper(state, jnp.ones((1, FEATURES)))
    assert state["h"].is_deleted() and not stepper.start()["h"].is_deleted()


def test_a_state_can_be_used_once():
    cell = cells.Elman(hidden_size=HIDDEN)
    stepper = make_stepper(cell, cell.init(jax.random.key(0), FEATURES))
    state, xs = stepper.start(), jnp.ones((1, FEATURES))
    stepper(state, xs)
    with pytest.raises(rnnzoo.UsageError, match="state of the stepper has been used, which gives it up; accepted"):
        stepper(state, xs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 3}, "batch is 3; accepted: a tuple"),
        ({"batch": (-1,)}, r"batch is \(-1,\); accepted: a tuple"),
        ({"steps": 1.5}, "steps is 1.5; accepted: an integer >= 1"),
        ({"steps": "2"}, "steps is '2'; accepted: an integer >= 1"),
        ({"dtype": "foo"}, "dtype is 'foo'; accepted: one of float32, bfloat16"),
        ({"dtype": "float64"}, "where jax_enable_x64 is on"),
    ],
)
def test_options_that_are_refused(options, message):
    cell = cells.Elman(hidden_size=HIDDEN)
    with pytest.raises(rnnzoo.UsageError, match=message):
        make_stepper(cell, cell.init(jax.random.key(0), FEATURES), **options)


def test_resets_by_name_and_unknown_names():
    cell = cells.Elman(hidden_size=HIDDEN)
    params, xs = cell.init(jax.random.key(0), FEATURES), jnp.ones((1, FEATURES))
    plain, with_resets = make_stepper(cell, params), make_stepper(cell, params, resets=True)
    assert_close(with_resets(with_resets.start(), xs, resets=np.ones(1, bool)), plain(plain.start(), xs), 1e-6)
    with pytest.raises(rnnzoo.UsageError, match="called with state, xs, resets; accepted: state, xs"):
        plain(plain.start(), xs, resets=np.ones(1, bool))
    with pytest.raises(rnnzoo.UsageError, match="called with lengths; accepted: state, xs"):
        plain(plain.start(), xs, lengths=1)


def test_numpy_arrays_are_taken():
    cell = cells.Elman(hidden_size=HIDDEN)
    stepper = make_stepper(cell, cell.init(jax.random.key(0), FEATURES), batch=(2,), resets=True)
    ys, _ = stepper(stepper.start(), np.ones((1, 2, FEATURES), np.float32), np.zeros((1, 2), bool))
    assert ys.shape == (1, 2, HIDDEN)


def test_what_does_not_fit_is_refused_with_what_is_accepted():
    cell = cells.LSTM(hidden_size=HIDDEN)
    params = cell.init(jax.random.key(0), FEATURES)
    stepper = make_stepper(cell, params, steps=2)
    with pytest.raises(rnnzoo.UsageError, match=r"xs of the stepper is float32 of \(3, 3\); accepted: float32 of"):
        stepper(stepper.start(), jnp.ones((3, FEATURES)))
    with pytest.raises(rnnzoo.UsageError, match="called with state, xs, resets; accepted: state, xs"):
        stepper(stepper.start(), jnp.ones((2, FEATURES)), jnp.ones(2, bool))
    with pytest.raises(rnnzoo.UsageError, match="state of the stepper is"):
        stepper({"h": jnp.zeros(HIDDEN)}, jnp.ones((2, FEATURES)))
    with pytest.raises(rnnzoo.UsageError, match="steps is 0; accepted: an integer >= 1"):
        make_stepper(cell, params, steps=0)
    with pytest.raises(rnnzoo.UsageError, match="params of LSTM"):
        make_stepper(cell, {"w": params["w"]})
    with pytest.raises(rnnzoo.UsageError, match="one direction"):
        model = Model(cell=cell, input_size=FEATURES, output_size=2, stack=Stack(bidirectional=True))
        make_model_stepper(model, model.init(jax.random.key(0)))


@pytest.mark.parametrize("tokens", [True, False])
def test_a_whole_model(x64, tokens):
    model = Model(
        cell=cells.LSTM(hidden_size=HIDDEN, structure=structures.Cayley()),
        input_size=FEATURES,
        output_size=2,
        tokens=tokens,
        stack=Stack(layers=2, embedding_size=4, norm=True),
    )
    params = model.init(jax.random.key(0))
    x = jax.random.randint(jax.random.key(1), (4, 3), 0, FEATURES) if tokens else inputs(4, (3,), FEATURES)
    resets = jnp.array([[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0]], bool)
    expected = model.apply(params, x, resets=resets)
    stepper = make_model_stepper(model, params, streams=3, steps=2, resets=True)
    assert_close(stream(stepper, x.astype(jnp.int32) if tokens else x, resets), expected, 1e-13)
    last = make_model_stepper(dataclasses.replace(model, read="last"), params, streams=3, steps=4)
    plain = model.apply(params, x)[0][-1]
    assert_close(last(last.start(), x.astype(jnp.int32) if tokens else x)[0], plain, 1e-13)


def test_the_input_size_of_weights_in_blocks():
    cell = rnnzoo.cells.SLSTM(hidden_size=6, input_blocks=2)
    params = cell.init(jax.random.key(0), 8)
    stepper = rnnzoo.make_stepper(cell, params)
    y, _ = stepper(stepper.start(), np.ones((1, 8), np.float32))
    assert y.shape == (1, 6)
