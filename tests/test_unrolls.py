"""All ways to compute the states agree: shapes for every (cell, structure, unroll), numbers for every pair.

The reference is `Loop`, operation by operation: compiling takes nearly all of the time of such small cases. What
it is compared with is compiled with little optimisation (`quick`), or not at all (`eager`).
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import all_cells, all_structures, assert_close, inputs, random_like

import rnnzoo
from rnnzoo import run, unrolls
from rnnzoo.base import Affine, Recurrent, Unroll, spec

HIDDEN, FEATURES, TIME, BATCH = 6, 3, 4, 3  # the same in most tests: operations are compiled once per shape
quick = functools.partial(
    jax.jit, compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
)


def published(family: list) -> list:
    """Those of the package: tests may register others."""
    return [member for member in family if type(member).__module__.startswith("rnnzoo.")]


def label(*specs: Any) -> str:
    names = [type(s).__name__ for s in specs]
    if isinstance(specs[0], Recurrent):
        names.insert(1, type(specs[0].structure).__name__)
    return "-".join(names)


CELLS = published(all_cells(HIDDEN))
PAIRS = [
    c for s in published(all_structures(HIDDEN)) for c in published(all_cells(HIDDEN, s)) if hasattr(c, "structure")
]
PAIRS += [c for c in CELLS if not hasattr(c, "structure")]
UNROLLS = published([c() for c in rnnzoo.members("unrolls").values()])
RUNS = [(c, u) for c in CELLS for u in UNROLLS if u.refuses(c) is None]
OTHERS = [(c, u) for c, u in RUNS if u != unrolls.Loop()]

each_cell = pytest.mark.parametrize("cell", CELLS, ids=label)
each_run = pytest.mark.parametrize(("cell", "unroll"), [pytest.param(*r, id=label(*r)) for r in RUNS])
each_other = pytest.mark.parametrize(("cell", "unroll"), [pytest.param(*r, id=label(*r)) for r in OTHERS])


def stack(trees: list) -> Any:
    return jax.tree.map(lambda *a: jnp.stack(a), *trees)


@pytest.fixture
def eager():
    """No compilation of whole functions."""
    with jax.disable_jit():
        yield


def arguments(cell: Any, time: int = TIME, batch: tuple[int, ...] = (BATCH,), seed: int = 0) -> tuple[Any, Any, Any]:
    """Random parameters, inputs (T, *B, I), and initial state (*B, H)."""
    keys = jax.random.split(jax.random.key(seed), 3)
    params = cell.init(keys[0], FEATURES)
    params = jax.tree.map(jnp.add, params, random_like(keys[1], params, 0.1))
    state = jax.tree.map(lambda a: jnp.zeros((*batch, *a.shape), a.dtype), cell.initial_state(params))
    return params, inputs(time, batch, FEATURES, seed), random_like(keys[2], state, 0.5)


def loss(cell, unroll, params, xs, state, options):
    """A number that every output and every leaf of the last state influences; and those."""
    ys, last = run(cell, params, xs, state, unroll=unroll, **options)
    wide = jnp.promote_types(ys.dtype, jnp.float32)
    weights = jnp.cos(jnp.arange(ys.size, dtype=wide)).reshape(ys.shape)
    total = (weights * ys.astype(wide) ** 2).sum() + sum((leaf**3).sum() for leaf in last.values())
    return total, (ys, last)


def values_and_gradients(cell, unroll, args, **options):
    """Outputs, last state, and gradients with respect to parameters, inputs and initial state."""
    function = functools.partial(loss, cell, unroll, options=options)
    (_, values), grads = jax.value_and_grad(function, (0, 1, 2), has_aux=True)(*args)
    return values, grads


# ---- every triple, abstractly ----------------------------------------------------------------------------


@pytest.mark.parametrize("cell", PAIRS, ids=label)
def test_shapes_and_refusals_of_every_unroll(cell):
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), FEATURES))
    xs = jax.ShapeDtypeStruct((3, BATCH, FEATURES), jnp.float32)
    initial = jax.eval_shape(cell.initial_state, params)
    for unroll in UNROLLS:
        reason = unroll.refuses(cell)
        call = functools.partial(jax.eval_shape, functools.partial(run, cell, unroll=unroll), params, xs)
        if reason is not None:
            with pytest.raises(rnnzoo.UsageError) as caught:
                call()
            assert str(caught.value) == reason and type(cell).__name__ in reason
            continue
        ys, last = call()
        assert (ys.shape, ys.dtype) == ((3, BATCH, cell.output_size), jnp.float32)
        expected = jax.tree.map(lambda a: ((BATCH, *a.shape), a.dtype), initial)
        assert jax.tree.map(lambda a: (a.shape, a.dtype), last) == expected


@pytest.mark.parametrize("cell", PAIRS, ids=label)
def test_who_is_refused(cell):
    assert unrolls.Loop().refuses(cell) is None
    assert unrolls.Scan().refuses(cell) is None
    assert (unrolls.Associative().refuses(cell) is None) == isinstance(cell, Affine)


# ---- every (cell, structure), and every (cell, unroll), in numbers ---------------------------------------


def numeric_pairs():
    """Cells do not know their structure, so that every cell with two structures, and every structure with two cells,
    find all that there is to find; the rest of the product is slow."""
    for cell in PAIRS:
        quick = type(cell).__name__ in ("Elman", "GRUResetBefore") or not hasattr(cell, "structure")
        quick = quick or type(cell.structure).__name__ in ("Dense", "Diagonal")
        yield pytest.param(cell, id=label(cell), marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize("cell", numeric_pairs())
def test_scan_is_the_loop(x64, cell):
    args = arguments(cell)
    scan = quick(functools.partial(values_and_gradients, cell, unrolls.Scan()))
    assert_close(scan(args), values_and_gradients(cell, unrolls.Loop(), args))


@spec
class _Wrong(Unroll):
    """Right values; the gradient with respect to the initial state is 0.1 % too large."""

    def __call__(self, cell, params, state, zs, controls):
        state = jax.tree.map(lambda a: a + 0.001 * (a - jax.lax.stop_gradient(a)), state)
        return unrolls.Scan()(cell, params, state, zs, controls)


@pytest.mark.parametrize("cell", [c for c in CELLS if type(c).__name__ in ("LSTM", "MGU", "MinLSTM")], ids=label)
def test_a_slightly_wrong_gradient_is_caught(x64, eager, cell):
    args = arguments(cell)
    wrong, loop = (values_and_gradients(cell, u, args) for u in (_Wrong(), unrolls.Loop()))
    assert_close(wrong[0], loop[0])
    with pytest.raises(AssertionError, match="Mismatched elements"):
        assert_close(wrong[1], loop[1])


# ---- lengths, resets, reverse ----------------------------------------------------------------------------

LENGTHS = jnp.array([4, 0, 2])
RESETS = jnp.array([[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0]], bool)


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
@each_cell
def test_meaning_of_lengths_resets_and_reverse(x64, eager, cell, reverse):
    params, xs, state = arguments(cell)
    got = run(cell, params, xs, state, lengths=LENGTHS, resets=RESETS, reverse=reverse, unroll=unrolls.Loop())
    assert_close(got, one_by_one(cell, params, xs, state, reverse), 1e-14)


@each_other
def test_jitted_with_lengths_resets_and_reverse(x64, cell, unroll):
    args, options = arguments(cell), {"lengths": LENGTHS, "resets": RESETS, "reverse": True}
    jitted = quick(functools.partial(values_and_gradients, cell, unroll, **options))
    assert_close(jitted(args), values_and_gradients(cell, unrolls.Loop(), args, **options))


@each_other
def test_padding_has_no_influence_even_as_nan(x64, eager, cell, unroll):
    params, xs, state = arguments(cell)
    past = jnp.arange(TIME)[:, None, None] >= LENGTHS[:, None]
    results = []
    for content in (0.0, jnp.nan):
        args = (params, jnp.where(past, content, xs), state)
        results.append(values_and_gradients(cell, unroll, args, lengths=LENGTHS))
    assert_close(results[1], results[0], 1e-14)
    assert not np.where(past, results[1][1][1], 0).any()


# ---- derivatives of other kinds --------------------------------------------------------------------------


@each_other
def test_forward_mode_and_second_order(x64, eager, cell, unroll):
    args = arguments(cell, 2, ())
    change = random_like(jax.random.key(7), args)

    def scalar(unroll, args):
        return loss(cell, unroll, *args, options={})[0]

    def slope(args):
        gradient = jax.grad(functools.partial(scalar, unroll))(args)
        return sum(jax.tree.leaves(jax.tree.map(jnp.vdot, gradient, change)))

    def derivatives(unroll):
        forward = jax.jvp(lambda args: loss(cell, unroll, *args, options={})[1], (args,), (change,))
        return forward, jax.jvp(jax.grad(functools.partial(scalar, unroll)), (args,), (change,))[1]

    got, expected = derivatives(unroll), derivatives(unrolls.Loop())
    assert_close(got, expected)
    assert_close(jax.grad(slope)(args), expected[1])


# ---- batches, times, precision ---------------------------------------------------------------------------


@each_other
def test_seeds_by_vmap_over_params(x64, cell, unroll):
    params = [arguments(cell, seed=seed)[0] for seed in range(2)]
    _, xs, state = arguments(cell)

    def gradients(unroll, params):
        return values_and_gradients(cell, unroll, (params, xs, state))

    together = quick(jax.vmap(functools.partial(gradients, unroll)))(stack(params))
    assert_close(together, stack([gradients(unrolls.Loop(), p) for p in params]))


@each_run
def test_any_batch_axes(x64, eager, cell, unroll):
    params, xs, state = arguments(cell, TIME, (2, 3))
    ys, last = run(cell, params, xs, state, unroll=unroll)
    assert ys.shape == (TIME, 2, 3, cell.output_size)
    xs_6, state_6 = xs.reshape(TIME, 6, FEATURES), jax.tree.map(lambda a: a.reshape(6, *a.shape[2:]), state)
    ys_6, last_6 = run(cell, params, xs_6, state_6, unroll=unroll)
    assert_close((ys, last), (ys_6.reshape(ys.shape), jax.tree.map(lambda a, b: a.reshape(b.shape), last_6, last)), 0)
    lane = run(cell, params, xs[:, 1, 0], jax.tree.map(lambda a: a[1, 0], state), unroll=unroll)
    assert_close((ys[:, 1, 0], jax.tree.map(lambda a: a[1, 0], last)), lane, 1e-14)


@each_run
def test_no_steps(x64, cell, unroll):
    params, xs, state = arguments(cell, 0)
    (ys, last), grads = quick(functools.partial(values_and_gradients, cell, unroll))((params, xs, state))
    assert ys.shape == (0, BATCH, cell.output_size) and ys.dtype == jnp.float64
    assert_close(last, state, 0)
    assert not any(leaf.any() for leaf in jax.tree.leaves(grads[0]))
    assert_close(grads[2], jax.tree.map(lambda a: 3 * a**2, state))


@each_other
def test_one_step(x64, eager, cell, unroll):
    args = arguments(cell, 1)
    got, expected = (values_and_gradients(cell, u, args) for u in (unroll, unrolls.Loop()))
    assert_close(got, expected, 1e-14)


@each_run
def test_causality(x64, eager, cell, unroll):
    params, xs, _ = arguments(cell)
    changed = xs.at[2].add(1.0)
    for reverse, same, seen in ((False, slice(0, 2), 3), (True, slice(3, 4), 1)):
        before, after = (run(cell, params, x, unroll=unroll, reverse=reverse)[0] for x in (xs, changed))
        assert_close(after[same], before[same], 0)
        assert abs(after[2] - before[2]).max() > 1e-3
        assert abs(after[seen] - before[seen]).max() > 1e-6


@each_run
def test_a_sequence_in_two_parts(x64, eager, cell, unroll):
    params, xs, state = arguments(cell)
    whole = run(cell, params, xs, state, unroll=unroll)
    first, between = run(cell, params, xs[:2], state, unroll=unroll)
    second, last = run(cell, params, xs[2:], between, unroll=unroll)
    assert_close((jnp.concatenate([first, second]), last), whole, 1e-13)


LOW = {"bfloat16": 0.05, "float16": 0.01}  # compute dtype -> how far results may be from those of float32


def low_precision(cell, dtype):
    return dataclasses.replace(cell, dtype=dtype)


@each_run
def test_low_precision_values(eager, cell, unroll):
    """Outputs in the compute dtype, the state in float32 all the way; both near float32's."""
    args = arguments(cell)
    ys, last = run(cell, *args, unroll=unroll)
    assert {leaf.dtype for leaf in jax.tree.leaves((ys, last))} == {np.dtype("float32")}
    for dtype, tolerance in LOW.items():
        low_ys, low_last = run(low_precision(cell, dtype), *args, unroll=unroll)
        assert low_ys.dtype == dtype
        assert {leaf.dtype for leaf in jax.tree.leaves(low_last)} == {np.dtype("float32")}
        assert_close((low_ys.astype(jnp.float32), low_last), (ys, last), tolerance)


@each_other
def test_low_precision_gradients(cell, unroll):
    """In the dtypes of the arguments, near float32's."""
    args = arguments(cell)
    low = quick(functools.partial(values_and_gradients, low_precision(cell, "bfloat16"), unroll))(args)[1]
    high = values_and_gradients(cell, unrolls.Loop(), args)[1]
    assert {leaf.dtype for leaf in jax.tree.leaves(low)} == {np.dtype("float32")}
    assert_close(low, high, 2 * LOW["bfloat16"])
