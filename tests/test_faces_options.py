"""`mask`, `states`, lists and the form of carries in the Flax faces: what `rnnzoo.run` does, in Flax's layout."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest
from face_support import ALL_FACES, BANDED, BATCH, LENGTHS, TIME, call, nnx_rnn, rows
from support import assert_close
from unroll_support import FEATURES, arguments, eager
from zoo import CELLS, HIDDEN, is_varied, parameters

import rnnzoo.linen
import rnnzoo.nnx
from rnnzoo import cells, run, structures, unrolls, wrappers

LOOP = unrolls.Loop()
MINGRU = cells.MinGRU(hidden_size=HIDDEN)
LSTM = cells.LSTM(hidden_size=HIDDEN, structure=structures.Diagonal())


def controls_of(batch, time=TIME):
    """A mask and resets (T, *B)."""
    keys = jax.random.split(jax.random.key(5), 2)
    return [jax.random.bernoulli(key, p, (time, *batch)) for key, p in zip(keys, (0.7, 0.3), strict=True)]


@pytest.mark.parametrize("batch", [(), (2, 2)])
@pytest.mark.parametrize("time_major", [False, True])
@ALL_FACES
@eager
def test_mask_and_states_are_those_of_run(x64, face, time_major, batch):
    params, xs, state = arguments(MINGRU, TIME, batch)
    mask, resets = controls_of(batch)
    turn = (lambda a: a) if time_major else (lambda a: jnp.moveaxis(a, 0, len(batch)))
    given = {"mask": mask, "resets": resets}
    ys, last, states = run(MINGRU, params, xs, state, reverse=True, states=True, unroll=LOOP, **given)
    got = call(
        face, MINGRU, params, turn(xs), LOOP, initial_carry=state, reverse=True, keep_order=True,
        time_major=time_major, states=True, **jax.tree.map(turn, given),
    )  # fmt: skip
    assert_close(got, (last, turn(ys), jax.tree.map(turn, states)), 1e-12)


@ALL_FACES
@eager
def test_states_in_the_order_of_running(x64, face):
    """As those of a run over the inputs turned around within their lengths: past the end, the last state."""
    params, xs, state = arguments(MINGRU, TIME, (3,))
    lengths = [3, 0, 2]
    turned = jnp.stack([jnp.concatenate([xs[:n, b][::-1], xs[n:, b]]) for b, n in enumerate(lengths)], 1)
    ys, last, states = run(MINGRU, params, turned, state, lengths=lengths, states=True, unroll=LOOP)
    options = {"initial_carry": state, "seq_lengths": lengths, "reverse": True, "states": True}
    got = call(face, MINGRU, params, rows(xs), LOOP, **options)
    assert_close(got, (last, rows(ys), jax.tree.map(rows, states)), 1e-12)
    assert_close(got[2]["h"][:, -1], last["h"], 1e-12)
    short = call(face, MINGRU, params, rows(xs), LOOP, return_carry=False, **options)
    assert_close(short, got[1:], 0)
    ys, _, states = run(MINGRU, params, xs, reverse=True, states=True, unroll=LOOP)
    got = call(face, MINGRU, params, rows(xs), LOOP, reverse=True, states=True)
    assert_close(got[1:], (rows(ys[::-1]), jax.tree.map(lambda a: rows(a[::-1]), states)), 1e-12)


@ALL_FACES
@eager
def test_lists_are_taken(x64, face):
    cell = cells.CfC(hidden_size=HIDDEN)
    params, xs, _ = arguments(cell, TIME, (BATCH,))
    mask, resets = (rows(a[..., None])[..., 0] for a in controls_of((BATCH,)))
    arrays = {"seq_lengths": LENGTHS, "mask": mask, "resets": resets, "dt": jnp.full((BATCH, TIME), 0.5)}
    lists = {name: array.tolist() for name, array in arrays.items()}
    from_lists, from_arrays = (call(face, cell, params, rows(xs), LOOP, **given) for given in (lists, arrays))
    assert_close(from_lists, from_arrays, 0)
    with pytest.raises(rnnzoo.UsageError, match="lengths has values from 0 to 4; accepted: 0 to 3"):
        call(face, cell, params, rows(xs), seq_lengths=[4, 0])


def test_lists_are_taken_as_arguments_of_a_program():
    params, xs, _ = arguments(MINGRU, TIME, (BATCH,))
    program = jax.jit(lambda lengths: call("linen", MINGRU, params, rows(xs), seq_lengths=lengths))
    assert_close(program([2, 0]), call("linen", MINGRU, params, rows(xs), seq_lengths=[2, 0]), 1e-6)


@pytest.mark.parametrize("name", ["mask", "resets", "dt"])
@ALL_FACES
def test_the_layout_of_an_option_is_that_of_the_inputs(face, name):
    params = BANDED.init(jax.random.key(0), FEATURES)
    given = jnp.ones((3, 2), float if name == "dt" else bool)
    options: Any = {name: given}
    with pytest.raises(rnnzoo.UsageError, match=rf"{name} has shape \(3, 2\); accepted: \(2, 3\), as inputs"):
        call(face, BANDED, params, jnp.ones((2, 3, FEATURES)), **options)


def form_of(cell):
    """In the words of the docs: an array h, a tuple (c, h), or refused."""
    state = jax.eval_shape(lambda: cell.initial_state(cell.prepare(cell.init(jax.random.key(0), FEATURES))))
    if set(state) == {"h"}:
        return "h"
    return "c, h" if set(state) == {"c", "h"} and state["c"].shape == state["h"].shape else None


def as_flax(cell, state):
    return state["h"] if form_of(cell) == "h" else (state["c"], state["h"])


@parameters("cell", [*CELLS, wrappers.Zoneout(cell=BANDED), wrappers.Clockwork(cell=BANDED)], is_varied)
@ALL_FACES
def test_the_entries_of_the_state_decide_on_the_form_abstractly(face, cell):
    params, xs, state = jax.eval_shape(lambda: arguments(cell, TIME, (BATCH,)))

    def outputs(params, xs, carry):
        return call(face, cell, params, rows(xs), initial_carry=carry, carry="flax", states=True)

    if form_of(cell) is None:
        with pytest.raises(rnnzoo.UsageError, match=r'carry is "flax", but Flax has no form .*carry="state"'):
            jax.eval_shape(outputs, params, xs, state)
        return
    carry = as_flax(cell, state)
    got, _, states = jax.eval_shape(outputs, params, xs, carry)
    assert jax.tree.map(jnp.shape, got) == jax.tree.map(jnp.shape, carry)
    assert jax.tree.structure(states) == jax.tree.structure(carry)


@pytest.mark.parametrize("cell", [LSTM, MINGRU], ids=["LSTM", "MinGRU"])
@ALL_FACES
@eager
def test_carries_in_the_form_of_flax(face, cell):
    """There and back, for whole sequences and for steps."""
    params, xs, state = arguments(cell, 1, (BATCH,))
    carry = as_flax(cell, state)
    last, ys = call(face, cell, params, rows(xs), LOOP, initial_carry=state)
    got = call(face, cell, params, rows(xs), LOOP, initial_carry=carry, carry="flax", states=True)
    assert_close(got[:2], (as_flax(cell, last), ys), 0)
    assert_close(jax.tree.map(lambda a: a[:, 0], got[2]), got[0], 0)
    if face == "linen":
        step = rnnzoo.linen.RNNCell(cell, carry="flax")
        first = step.initialize_carry(jax.random.key(0), (BATCH, FEATURES))
        new, y = step.apply({"params": params}, carry, xs[0])
    else:
        module = nnx_rnn(cell, params, rnnzoo.nnx.RNNCell, carry="flax")
        first = module.initialize_carry((BATCH, FEATURES))
        new, y = module(carry, xs[0])
    assert jax.tree.map(jnp.shape, first) == jax.tree.map(jnp.shape, carry)
    assert_close((new, y), (as_flax(cell, last), ys[:, 0]), 1e-6)


@pytest.mark.parametrize(
    ("cell", "form", "carry", "message"),
    [
        ("LSTM", "state", (0, 1), r'is a tuple of 2; accepted: a dict of c, h .*, a tuple \(c, h\) with carry="flax"'),
        ("LSTM", "flax", {"c": 0, "h": 1}, r'is a dict of c, h; accepted: .*, a tuple \(c, h\) with carry="flax"'),
        ("LSTM", "flax", (0, 1, 2), "is a tuple of 3"),
        ("LSTM", "flax", jnp.ones(HIDDEN), "is an array"),
        ("GRU", "state", jnp.ones(HIDDEN), 'is an array; accepted: a dict of h .*, the array h with carry="flax"'),
        ("GRU", "flax", {"h": 1}, "is a dict of h"),
        (
            "ProjectedLSTM",
            "state",
            (0, 1),
            r'accepted: a dict of c, h with carry="state" \(the default\)(\n|$)',
        ),
        ("GRU", "flux", None, r"carry is \'flux\'; did you mean flax\?"),
    ],
)
@ALL_FACES
def test_a_carry_in_another_form_is_refused_with_what_is_accepted(face, cell, form, carry, message):
    made = getattr(cells, cell)(hidden_size=HIDDEN)
    params = made.init(jax.random.key(0), FEATURES)
    with pytest.raises(rnnzoo.UsageError, match=message):
        call(face, made, params, jnp.ones((2, 3, FEATURES)), initial_carry=carry, carry=form)


def test_a_step_refuses_a_carry_in_another_form():
    params = BANDED.init(jax.random.key(0), FEATURES)
    with pytest.raises(rnnzoo.UsageError, match="is a tuple of 2; accepted: a dict of c, h"):
        rnnzoo.linen.RNNCell(BANDED).apply({"params": params}, (jnp.ones(HIDDEN), jnp.ones(HIDDEN)), jnp.ones(FEATURES))
    with pytest.raises(rnnzoo.UsageError, match="is a dict of c, h; accepted"):
        nnx_rnn(BANDED, params, rnnzoo.nnx.RNNCell, carry="flax")({"c": 0, "h": 0}, jnp.ones(FEATURES))


@ALL_FACES
def test_inputs_of_too_few_axes(face):
    params = BANDED.init(jax.random.key(0), FEATURES)
    with pytest.raises(rnnzoo.UsageError, match=r"inputs has shape \(\); accepted: \(\*batch, I\) at every step"):
        call(face, BANDED, params, 1.0)
