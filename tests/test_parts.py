"""Unrolls in parts: any chunk and any T, what may be inside, cut derivatives, and the memory that chunks save."""

import functools
import operator
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from support import assert_close
from unroll_support import LENGTHS, RESETS, arguments, loss, quick, values_and_gradients

import rnnzoo
from rnnzoo import cells, run, unrolls, wrappers
from rnnzoo.cells.noise import Noisy, without_noise
from rnnzoo.spec import spec
from rnnzoo.typing import Control
from rnnzoo.unrolls.base import Unroll, advance, select

LSTM = cells.LSTM(hidden_size=6)
LRU = cells.LRU(hidden_size=6)

# ---- chunks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "unroll"),
    [
        (LSTM, unrolls.Chunked(chunk=3)),  # and a shorter one
        (LSTM, unrolls.Chunked(chunk=9)),  # nothing but a shorter one
        (LRU, unrolls.Chunked(chunk=1)),
        (LRU, unrolls.Chunked(inner=unrolls.Associative())),
        (LRU, unrolls.Chunked(chunk=3, inner=unrolls.Chunked())),
    ],
    ids=lambda spec: str(spec) if isinstance(spec, Unroll) else type(spec).__name__,
)
def test_any_chunk_and_any_unroll_inside(x64, cell, unroll):
    args, options = arguments(cell), {"lengths": LENGTHS, "resets": RESETS, "reverse": True}
    chunked = quick(functools.partial(values_and_gradients, cell, unroll, **options))
    assert_close(chunked(args), values_and_gradients(cell, unrolls.Loop(), args, **options))


@pytest.mark.parametrize("unroll", [unrolls.Chunked(chunk=3), unrolls.Truncated(steps=3)], ids=str)
@pytest.mark.parametrize("time", [0, 2, 3, 7])
def test_states_of_one_sequence(x64, unroll, time):
    params, xs, state = arguments(LSTM, time, ())
    zs = jax.vmap(LSTM.project, (None, 0))(params, xs)
    got, expected = (
        jax.jit(functools.partial(u, LSTM))(params, state, zs, Control()) for u in (unroll, unrolls.Loop())
    )
    assert_close(got, expected)


def test_what_is_inside_decides_who_is_refused():
    for outer in (unrolls.Chunked, unrolls.Truncated):
        unroll = outer(inner=unrolls.Associative())
        assert unroll.refuses(LRU) is None
        with pytest.raises(rnnzoo.UsageError, match="LSTM is not affine in its state"):
            run(LSTM, *arguments(LSTM), unroll=unroll)


# ---- memory ----------------------------------------------------------------------------------------------


def test_chunks_need_an_eighth_of_the_memory(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    from memory import gradient_memory

    scan, chunked = (
        gradient_memory(cells.LSTM(hidden_size=128), unroll, 16_384, 8, 128)["layer"]
        for unroll in (unrolls.Scan(), unrolls.Chunked())
    )
    assert chunked <= scan / 8
    assert chunked >= 8 * 128 * 4 * 128  # a number that cannot be right would prove nothing


# ---- truncated derivatives -------------------------------------------------------------------------------


@spec
class _CutLoop(Unroll):
    """`Truncated`, step by step: a border cuts where any step follows it."""

    exact = False

    steps: int = 2

    def __call__(self, cell, params, state, zs, controls):
        states = []
        for t in range(jax.tree.leaves(zs)[0].shape[0]):
            if t and t % self.steps == 0:
                follows = jnp.array(True) if controls.active is None else controls.active[t:].any()
                state = select(follows, jax.lax.stop_gradient(state), state)
            state = advance(cell, params, state, *jax.tree.map(lambda a, t=t: a[t], (zs, controls)))
            states.append(state)
        return jax.tree.map(lambda *a: jnp.stack(a), *states)


@pytest.mark.parametrize(
    ("steps", "inner"),
    [(1, unrolls.Scan()), (2, unrolls.Scan()), (3, unrolls.Chunked(chunk=2)), (4, unrolls.Scan())],
    ids=str,
)
def test_derivatives_do_not_cross_borders(x64, steps, inner):
    resets = RESETS.at[1, 0].set(False)  # one at a border would hide it
    args, options = arguments(LSTM), {"lengths": LENGTHS, "resets": resets, "reverse": True}
    unroll = unrolls.Truncated(steps=steps, inner=inner)
    values, gradients = quick(functools.partial(values_and_gradients, LSTM, unroll, **options))(args)
    assert_close((values, gradients), values_and_gradients(LSTM, _CutLoop(steps=steps), args, **options))
    whole = values_and_gradients(LSTM, unrolls.Loop(), args, **options)
    assert_close(values, whole[0])
    if steps < 4:
        assert not unroll.exact
        with pytest.raises(AssertionError, match="Mismatched elements"):
            assert_close(gradients, whole[1], 1e-3)


@spec
class _Paced(cells.CfC, Noisy):
    """Its noise is the same at every step whatever T is, so that a sequence can be compared with a longer one."""

    def noise(self, key, time):
        return 1 + jnp.arange(time, dtype=float) / 8

    def step(self, params, state, z_t, recur):
        z_t, noise_t = without_noise(z_t)
        state_t = super().step(params, state, z_t, recur)
        return {"h": state_t["h"] * (1 if noise_t is None else noise_t)}


@pytest.mark.parametrize(
    ("cell", "unroll", "reverse"),
    [
        (_Paced(hidden_size=4), unrolls.Truncated(steps=2), False),
        (_Paced(hidden_size=4), unrolls.Truncated(steps=2), True),
        (wrappers.Dilated(cell=cells.GRU(hidden_size=4)), unrolls.Truncated(steps=3, inner=unrolls.Chunked()), True),
    ],
    ids=["forward", "reverse", "chunks"],
)
def test_padding_moves_no_border(x64, cell, unroll, reverse):
    """Values and gradients of a padded batch are those of each sequence by itself, with lengths known at run time."""
    time, lengths = 5, (5, 3, 0)
    params, xs, state = arguments(cell, time, (len(lengths),))
    resets = jnp.zeros((time, len(lengths)), bool).at[1, 0].set(True)
    mask = jnp.ones((time, len(lengths)), bool).at[3, 0].set(False).at[0, 1].set(False)
    dt = jnp.full((time, len(lengths)), 0.5) + xs[:, :, 0] ** 2

    def gradients(weights, params, xs, state, controls, lengths=None):
        options = {"lengths": lengths, "reverse": reverse, "key": jax.random.key(0), "unroll": unroll, **controls}

        def loss(params, xs, state):
            ys, last = run(cell, params, xs, state, **options)
            return (weights * ys**2).sum() + sum((a**3).sum() for a in jax.tree.leaves(last)), (ys, last)

        grads, values = jax.grad(loss, (0, 1, 2), has_aux=True)(params, xs, state)
        return values, grads

    controls = {"resets": resets, "mask": mask} | ({"dt": dt} if cell.uses_dt else {})
    weights = jnp.cos(jnp.arange(time * len(lengths) * 4.0)).reshape(time, len(lengths), 4)
    (ys, last), grads = quick(gradients)(weights, params, xs, state, controls, jnp.array(lengths))
    total = jax.tree.map(jnp.zeros_like, params)
    for lane, n in enumerate(lengths):
        cut = jax.tree.map(operator.itemgetter((slice(n), lane)), (weights, xs, controls))
        here = functools.partial(jax.tree.map, operator.itemgetter(lane))
        alone, alone_grads = quick(gradients)(cut[0], params, cut[1], here(state), cut[2])
        assert_close(here((last, grads[2])), (alone[1], alone_grads[2]))
        for padded, steps in ((ys, alone[0]), (grads[1], alone_grads[1])):
            assert_close(padded[:, lane], jnp.pad(steps, ((0, time - n), (0, 0))))
        total = jax.tree.map(jnp.add, total, alone_grads[0])
    assert_close(grads[0], total)


def test_forward_mode_does_not_cross_borders_either(x64):
    args = arguments(LSTM)

    def slopes(unroll):
        return jax.jvp(lambda args: loss(LSTM, unroll, *args, options={})[1], (args,), (args,))

    assert_close(quick(lambda: slopes(unrolls.Truncated(steps=3)))(), slopes(_CutLoop(steps=3)))
