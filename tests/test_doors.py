"""One option, every door: what `run` takes means the same in steppers and in whole networks."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close

import rnnzoo
from rnnzoo import cells, make_model_stepper, make_stepper, run
from rnnzoo.models import Model, Stack

TIME, BATCH = 5, 3
KEY = jax.random.key(0)
XS = jax.random.normal(jax.random.key(1), (TIME, BATCH, 2))
MASK = jnp.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool).T
RESETS = jnp.array([[0, 1, 0, 1, 0], [1, 0, 0, 0, 1], [0, 1, 0, 0, 0]], bool).T
DT = jax.random.uniform(jax.random.key(2), (TIME, BATCH), minval=0.1, maxval=2.0)
CELL = cells.CfC(hidden_size=4)
CONTROLS: dict[str, Any] = {"mask": MASK, "resets": RESETS, "dt": DT}


def network(cell: rnnzoo.cells.Cell = CELL, **stack: object) -> tuple[Model, dict]:
    model = Model(cell=cell, input_size=2, output_size=2, stack=Stack(**stack))  # pyright: ignore[reportArgumentType]
    return model, model.init(KEY)


@pytest.mark.parametrize("names", [("mask",), ("dt",), ("resets", "mask", "dt")], ids="-".join)
def test_a_stepper_takes_what_run_takes(names):
    params = CELL.init(KEY, 2)
    asked = dict.fromkeys(names, True)
    stepper = make_stepper(CELL, params, batch=(BATCH,), steps=1, **asked)  # pyright: ignore[reportArgumentType]
    state, ys = stepper.start(), []
    for t in range(TIME):
        y, state = stepper(state, XS[t : t + 1], **{name: CONTROLS[name][t : t + 1] for name in names})
        ys.append(y[0])
    assert_close((jnp.stack(ys), state), run(CELL, params, XS, **{name: CONTROLS[name] for name in names}), 1e-6)


def test_a_stepper_says_what_it_was_made_for():
    params = CELL.init(KEY, 2)
    stepper = make_stepper(CELL, params, batch=(BATCH,), mask=True)
    with pytest.raises(rnnzoo.UsageError, match="the stepper was called with state, xs; accepted: state, xs, mask"):
        stepper(stepper.start(), XS[:1])
    with pytest.raises(rnnzoo.UsageError, match="mask of the stepper is float32"):
        stepper(stepper.start(), XS[:1], mask=DT[:1])
    gru = cells.GRU(hidden_size=4)
    with pytest.raises(rnnzoo.UsageError, match="dt is True, but GRU has no use for it"):
        make_stepper(gru, gru.init(KEY, 2), dt=True)


def test_a_network_on_a_stream_takes_them_too():
    model, params = network(layers=2)
    stepper = make_model_stepper(model, params, streams=BATCH, steps=TIME, resets=True, mask=True, dt=True)
    found = stepper(stepper.start(), XS, RESETS, mask=MASK, dt=DT)
    assert_close(found, model.apply(params, XS, **CONTROLS), 1e-6)


def test_every_layer_of_a_network_has_them():
    model, params = network(layers=2)
    ys, last = model.apply(params, XS, **CONTROLS)
    hidden = XS
    for layer in ("layer_0", "layer_1"):
        hidden, state = run(CELL, params[layer]["cell"], hidden, **CONTROLS)
        assert_close(last[layer], state, 1e-6)
    assert_close(ys, hidden @ params["head"]["w"].T + params["head"]["b"], 1e-6)


@pytest.mark.parametrize("name", ["mask", "lengths"])
def test_a_bidirectional_network_returns_both_last_states(name):
    model, params = network(bidirectional=True)
    controls: dict[str, Any] = {"mask": MASK} if name == "mask" else {"lengths": [5, 2, 0]}
    _, last = model.apply(params, XS, **controls)  # pyright: ignore[reportArgumentType]
    for direction, reverse in (("cell", False), ("backward", True)):
        expected = run(CELL, params["layer_0"][direction], XS, reverse=reverse, **controls)[1]
        assert_close(last["layer_0"][direction], expected, 1e-6)


@pytest.mark.parametrize("name", ["none", "mask", "lengths"])
def test_times_between_steps_are_the_same_in_both_directions(name):
    """Backward, the time at a step is that since the step after it. Those that are left out have none."""
    model, params = network(bidirectional=True)
    counts = {"none": np.ones((TIME, BATCH), bool), "mask": MASK, "lengths": np.arange(TIME)[:, None] < [5, 2, 0]}[name]
    controls: dict[str, Any] = {"none": {}, "mask": {"mask": MASK}, "lengths": {"lengths": [5, 2, 0]}}[name]
    ys, last = model.apply(params, XS, dt=DT, **controls)
    outputs = np.zeros((TIME, BATCH, 8), np.float32)
    for b in range(BATCH):
        steps = np.flatnonzero(counts[:, b])
        if not len(steps):
            continue
        xs, dt = np.asarray(XS)[steps, b], np.asarray(DT)[steps, b]
        runs = {"cell": (xs, dt), "backward": (xs[::-1], np.append(dt[1:], dt[0])[::-1])}
        for k, (direction, (inputs, times)) in enumerate(runs.items()):
            found, state = run(CELL, params["layer_0"][direction], inputs, dt=times)
            assert_close(jax.tree.map(lambda a, b=b: a[b], last["layer_0"][direction]), state, 1e-6)
            outputs[steps, b, 4 * k : 4 * k + 4] = found[::-1] if k else found
    assert_close(ys, outputs @ params["head"]["w"].T + params["head"]["b"], 1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_last_step_read_is_the_last_that_counts(bidirectional):
    cell = cells.GRU(hidden_size=3)
    model, _ = network(cell, bidirectional=bidirectional)
    model = Model(**{**vars(model), "read": "last"})
    params = model.init(KEY)
    found, _ = model.apply(params, XS, mask=MASK)
    forward = run(cell, params["layer_0"]["cell"], XS, mask=MASK)[0]
    states = [np.asarray(forward[[3, 4, 0], [0, 1, 2]])]
    if bidirectional:
        backward = run(cell, params["layer_0"]["backward"], XS, mask=MASK, reverse=True)[0]
        states.append(np.asarray(backward[[0, 2, 0], [0, 1, 2]]))
    read = np.concatenate(states, -1) * np.array([[1], [1], [0]])
    assert_close(found, read @ params["head"]["w"].T + params["head"]["b"], 1e-5)


def test_lists_are_arrays():
    params = CELL.init(KEY, 2)
    listed: dict[str, Any] = {name: np.asarray(value).tolist() for name, value in CONTROLS.items()}
    take = functools.partial(run, CELL, params, XS)
    assert_close(take(**listed, lengths=[5, 3, 1]), take(**CONTROLS, lengths=jnp.array([5, 3, 1])), 1e-6)
