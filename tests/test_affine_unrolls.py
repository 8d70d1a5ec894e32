"""Unrolls that are parallel in time: transitions in every algebra, any chunk and T, and long sequences."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close
from unroll_support import LENGTHS, RESETS, arguments, quick, values_and_gradients
from zoo import all_cells, all_structures, is_cheap, parameters

import rnnzoo
from rnnzoo import cells, run, structures, unrolls
from rnnzoo.cells.base import Affine
from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra
from rnnzoo.typing import Control

ALGEBRAS = [s for s in all_structures(6) if isinstance(s, Algebra)]
PARALLEL = (unrolls.Associative(), unrolls.ChunkedAssociative(chunk=3))
CONTROLS: Any = {"lengths": LENGTHS, "resets": RESETS, "reverse": True}


@spec
class _Switched(Affine):
    """h_t = A_t h_tm1 + b_t with one of two matrices A_t of any algebra, by the sign of a unit of b_t."""

    family: Algebra

    @property
    def transition(self):
        return self.family

    def init(self, key, input_size):
        keys = jax.random.split(key)
        return super().init(key, input_size) | {
            n: self.family.init(k, self.hidden_size) for n, k in zip(("a_0", "a_1"), keys, strict=True)
        }

    def prepare(self, params):
        return super().prepare(params) | {n: self.family.materialize(params[n]) for n in ("a_0", "a_1")}

    def affine(self, params, z_t):
        pick = z_t["h"][0] > 0
        return jax.tree.map(lambda a, b: jnp.where(pick, a, b), params["a_0"], params["a_1"]), z_t["h"]


@pytest.mark.parametrize("unroll", PARALLEL, ids=str)
@pytest.mark.parametrize("family", ALGEBRAS, ids=str)
def test_transitions_in_every_algebra(x64, family, unroll):
    cell = _Switched(hidden_size=6, family=family)
    params = cell.init(jax.random.key(0), 3)
    _, xs, state = arguments(cells.MinGRU(hidden_size=6))
    options = CONTROLS if _has_identity(family) else {k: v for k, v in CONTROLS.items() if k != "lengths"}

    def gradients(unroll, weights, xs, state):
        def loss(weights, xs, state):
            ys, last = run(cell, {**params, **weights}, xs, state, unroll=unroll, **options)
            return (ys**2).sum() + (last["h"] ** 3).sum(), ys

        return jax.value_and_grad(loss, (0, 1, 2), has_aux=True)(weights, xs, state)

    floats = jax.tree.map(lambda a: jnp.issubdtype(a.dtype, jnp.floating), params)
    weights = {n: leaf for n, leaf in params.items() if all(jax.tree.leaves(floats[n]))}
    got, expected = (quick(functools.partial(gradients, u))(weights, xs, state) for u in (unroll, unrolls.Scan()))
    assert_close(got, expected)


@pytest.mark.parametrize("unroll", PARALLEL, ids=str)
def test_gradients_over_many_matrices_that_do_not_commute(x64, unroll):
    """Without resets, which would leave no product of more than two."""
    cell = _Switched(hidden_size=6, family=structures.Dense())
    args = arguments(cell, 7)
    got, expected = (quick(functools.partial(values_and_gradients, cell, u))(args) for u in (unroll, unrolls.Scan()))
    assert_close(got, expected)


def _has_identity(family):
    try:
        return family.identity(6) is not None
    except rnnzoo.UsageError:
        return False


@pytest.mark.parametrize(("time", "chunk"), [(1, None), (2, None), (7, 2), (7, 3), (7, 7), (7, 9)])
def test_any_chunk_and_time(x64, time, chunk):
    cell, unroll = cells.LRU(hidden_size=6), unrolls.ChunkedAssociative(chunk=chunk)
    args = arguments(cell, time, ())
    got = quick(functools.partial(values_and_gradients, cell, unroll))(args)
    assert_close(got, values_and_gradients(cell, unrolls.Loop(), args))


@pytest.mark.parametrize("unroll", PARALLEL, ids=str)
def test_states_of_one_sequence(x64, unroll):
    cell = cells.MinGRU(hidden_size=6)
    params, xs, state = arguments(cell, 7, ())
    inputs = params, state, jax.vmap(cell.project, (None, 0))(params, xs), Control()
    assert_close(quick(functools.partial(unroll, cell))(*inputs), unrolls.Loop()(cell, *inputs))


# ---- long sequences --------------------------------------------------------------------------------------

LONG = 100_000


@parameters("cell", [c for c in all_cells(4) if isinstance(c.recurrence, Affine)], is_cheap)
def test_a_hundred_thousand_steps(cell):
    """Why there is no form in logarithms: products of decays vanish, as they should, and nothing is divided by them.

    Gates reach from wide open to shut, so that products of a few decays are already 0 in float32."""
    params = cell.init(jax.random.key(0), 2)
    params["w"] = jax.tree.map(lambda w: 30 * w, params["w"])
    xs = jax.random.normal(jax.random.key(1), (LONG, 2))
    state = jax.tree.map(jnp.ones_like, cell.initial_state(cell.prepare(params)))

    def gradients(unroll, params, xs, state):
        def loss(params, xs, state):
            ys, last = run(cell, params, xs, state, unroll=unroll)
            return (ys**2).mean() + (last["h"] ** 2).sum(), (ys, last)

        return jax.value_and_grad(loss, (0, 1, 2), has_aux=True)(params, xs, state)

    results = [
        jax.jit(functools.partial(gradients, unroll))(params, xs, state)
        for unroll in (unrolls.Scan(), unrolls.Associative(), unrolls.ChunkedAssociative())
    ]
    for leaf in jax.tree.leaves(results):
        assert np.isfinite(leaf).all()
    for other in results[1:]:
        assert_close(other, results[0], 1e-4)


@pytest.mark.parametrize("unroll", PARALLEL, ids=str)
@pytest.mark.parametrize("cell", [cells.MinGRU(hidden_size=4), cells.LRU(hidden_size=4)], ids=str)
def test_a_reset_leaves_nothing_of_what_is_not_finite(x64, cell, unroll):
    """A state, an input: 0 times what they hold would keep it."""
    params, xs, state = arguments(cell)
    xs, state = xs.at[1].set(jnp.nan), jax.tree.map(lambda a: jnp.full_like(a, jnp.inf), state)
    resets = jnp.zeros(xs.shape[:2], bool).at[jnp.array([0, 3])].set(True)

    def values(unroll):
        def loss(state):
            ys, last = run(cell, params, xs, state, resets=resets, unroll=unroll)
            return (ys[3:] ** 2).sum(), (ys, last)

        return jax.grad(loss, has_aux=True)(state)

    (grad, (ys, last)), (_, (expected, _)) = values(unroll), values(unrolls.Loop())
    np.testing.assert_array_equal(jnp.isfinite(ys), jnp.isfinite(expected))
    assert_close((ys[3:], ys[0]), (expected[3:], expected[0]))
    assert all(not leaf.any() for leaf in jax.tree.leaves(grad)) and jnp.isfinite(last["h"]).all()


def test_products_of_decays_do_vanish():
    """The case above is the hard one: the product over 100 steps is 0, and so the logarithm is -inf."""
    cell = cells.MinGRU(hidden_size=4)
    params = cell.init(jax.random.key(0), 2)
    xs = jax.random.normal(jax.random.key(1), (100, 2))
    zs = jax.vmap(lambda x: cell.project(jax.tree.map(lambda w: 30 * w, params), x))(xs)
    decays = jax.vmap(lambda z: cell.affine(params, z)[0])(zs)
    assert not jnp.prod(decays, 0).any()
