"""One meaning of lengths, resets, reverse, batch axes and time, for every cell and every unroll."""

import functools
import operator

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close
from unroll_support import BATCH, FEATURES, LENGTHS, RESETS, TIME, arguments, eager, quick, stack, values_and_gradients
from zoo import varied_cell, varied_other, varied_run

from rnnzoo import cells, run, unrolls, wrappers
from rnnzoo.unrolls.iterative import Iterative

# ---- lengths, resets, reverse ----------------------------------------------------------------------------


def one_by_one(cell, params, xs, state, reverse):
    """What LENGTHS and RESETS mean: each sequence by itself, cut at its length, restarted at its resets."""
    all_ys, lasts = [], []
    for lane, length in enumerate(LENGTHS.tolist()):
        current = jax.tree.map(lambda a, lane=lane: a[lane], state)
        ys = [jnp.zeros(cell.output_size, xs.dtype)] * len(xs)
        for t in reversed(range(length)) if reverse else range(length):
            if RESETS[t, lane]:
                current = cell.initial_state(cell.prepare(params))
            y, current = run(cell, params, xs[t : t + 1, lane], current, unroll=unrolls.Loop())
            ys[t] = y[0]
        all_ys.append(jnp.stack(ys))
        lasts.append(current)
    return jnp.stack(all_ys, 1), stack(lasts)


@pytest.mark.parametrize("reverse", [False, True])
@varied_cell
@eager
def test_meaning_of_lengths_resets_and_reverse(x64, cell, reverse):
    params, xs, state = arguments(cell)
    got = run(cell, params, xs, state, lengths=LENGTHS, resets=RESETS, reverse=reverse, unroll=unrolls.Loop())
    assert_close(got, one_by_one(cell, params, xs, state, reverse), 1e-14)


def test_states_of_a_reversed_run_start_at_padding(x64):
    """In the order of the inputs, a reversed run has the state before its first step at padding."""
    cell = wrappers.Dilated(cell=cells.GRU(hidden_size=2))
    params, xs, state = arguments(cell)
    _, last, states = run(cell, params, xs, state, lengths=LENGTHS, reverse=True, states=True)
    for lane, length in enumerate(LENGTHS.tolist()):
        start, end = (jax.tree.map(operator.itemgetter(lane), tree) for tree in (state, last))
        kept = jax.tree.map(operator.itemgetter((slice(None), lane)), states)
        _, _, alone = run(cell, params, xs[:length, lane], start, reverse=True, states=True)
        rest = stack([start] * (TIME - length)) if length < TIME else jax.tree.map(lambda a: a[:0], alone)
        assert_close(kept, jax.tree.map(lambda a, b: jnp.concatenate([a, b]), alone, rest))
        assert_close(jax.tree.map(lambda a: a[0], kept), end)


@varied_other
@eager
def test_padding_has_no_influence_even_as_nan(x64, cell, unroll):
    params, xs, state = arguments(cell)
    past = jnp.arange(TIME)[:, None, None] >= LENGTHS[:, None]
    results = []
    for content in (0.0, jnp.nan):
        args = (params, jnp.where(past, content, xs), state)
        results.append(values_and_gradients(cell, unroll, args, lengths=LENGTHS))
    assert_close(results[1], results[0], 1e-14)
    assert not np.where(past, results[1][1][1], 0).any()


# ---- batches, times, precision ---------------------------------------------------------------------------


@varied_run
@eager
def test_any_batch_axes(x64, cell, unroll):
    params, xs, state = arguments(cell, TIME, (2, 3))
    ys, last = run(cell, params, xs, state, unroll=unroll)
    assert ys.shape == (TIME, 2, 3, cell.output_size)
    xs_6, state_6 = xs.reshape(TIME, 6, FEATURES), jax.tree.map(lambda a: a.reshape(6, *a.shape[2:]), state)
    ys_6, last_6 = run(cell, params, xs_6, state_6, unroll=unroll)
    assert_close((ys, last), (ys_6.reshape(ys.shape), jax.tree.map(lambda a, b: a.reshape(b.shape), last_6, last)), 0)
    lane = run(cell, params, xs[:, 1, 0], jax.tree.map(lambda a: a[1, 0], state), unroll=unroll)
    assert_close((ys[:, 1, 0], jax.tree.map(lambda a: a[1, 0], last)), lane, 1e-14)


@varied_run
def test_no_steps(x64, cell, unroll):
    params, xs, state = arguments(cell, 0)
    (ys, last), grads = quick(functools.partial(values_and_gradients, cell, unroll))((params, xs, state))
    assert ys.shape == (0, BATCH, cell.output_size) and ys.dtype == jnp.float64
    assert_close(last, state, 0)
    assert not any(leaf.any() for leaf in jax.tree.leaves(grads[0]))
    assert_close(grads[2], jax.tree.map(lambda a: 3 * a**2, state))


@varied_other
@eager
def test_one_step(x64, cell, unroll):
    args = arguments(cell, 1)
    got, expected = (values_and_gradients(cell, u, args) for u in (unroll, unrolls.Loop()))
    assert_close(got, expected, 1e-14)


@varied_run
@eager
def test_causality(x64, cell, unroll):
    params, xs, _ = arguments(cell)
    changed = xs.at[2].add(1.0)
    for reverse, same, seen in ((False, slice(0, 2), 3), (True, slice(3, 4), 1)):
        before, after = (run(cell, params, x, unroll=unroll, reverse=reverse)[0] for x in (xs, changed))
        assert_close(after[same], before[same], 0)
        assert abs(after[2] - before[2]).max() > 1e-3
        if not isinstance(cell, wrappers.Dilated):  # it hears what is two steps ago
            assert abs(after[seen] - before[seen]).max() > 1e-6


@varied_run
@eager
def test_a_sequence_in_two_parts(x64, cell, unroll):
    params, xs, state = arguments(cell)
    whole = run(cell, params, xs, state, unroll=unroll)
    first, between = run(cell, params, xs[:2], state, unroll=unroll)
    second, last = run(cell, params, xs[2:], between, unroll=unroll)
    assert_close((jnp.concatenate([first, second]), last), whole, 1e-11 if isinstance(unroll, Iterative) else 1e-13)
