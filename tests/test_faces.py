"""The Flax faces compute what `rnnzoo.run` does, with its parameters, for every cell; and what Flax's own RNN does."""

import dataclasses
import functools
import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from face_support import ALL_FACES, BANDED, BATCH, LENGTHS, TIME, call, columns, flax_call, nnx_rnn, rows
from flax import linen as nn
from flax import nnx
from golden import update
from support import assert_close, inputs
from unroll_support import FEATURES, arguments, eager, quick
from zoo import CELLS, HIDDEN, is_varied, parameters

import rnnzoo.linen
import rnnzoo.nnx
from rnnzoo import cells, run, structures, unrolls, wrappers

# ---- every cell ------------------------------------------------------------------------------------------


def total(last, ys):
    """A number that every output and every leaf of the last state influences."""
    weights = jnp.cos(jnp.arange(ys.size, dtype=ys.dtype)).reshape(ys.shape)
    return (weights * ys**2).sum() + sum((leaf**3).sum() for leaf in jax.tree.leaves(last))


def by_functions(cell, params, xs, state, unroll):
    ys, last = run(cell, params, xs, state, lengths=LENGTHS, unroll=unroll)
    return last, ys


def by_linen(cell, params, xs, state, unroll):
    rnn = rnnzoo.linen.RNN(cell, unroll=unroll, return_carry=True, time_major=True)
    return rnn.apply({"params": params}, xs, initial_carry=state, seq_lengths=LENGTHS)


def by_nnx(cell, params, xs, state, unroll):
    options = {"unroll": unroll, "return_carry": True, "time_major": True}
    graph = nnx.split(nnx.eval_shape(lambda: rnnzoo.nnx.RNN(cell, FEATURES, rngs=nnx.Rngs(0), **options)))[0]
    module = nnx.merge(graph, nnx.State({"params": jax.tree.map(nnx.Param, params)}))
    return module(xs, initial_carry=state, seq_lengths=LENGTHS)


def with_gradients(face, cell, unroll):
    def function(params, xs, state):
        last, ys = face(cell, params, xs, state, unroll)
        return total(last, ys), (last, ys)

    return jax.value_and_grad(function, (0, 1, 2), has_aux=True)


@parameters("cell", CELLS, is_varied)
def test_functions_linen_and_nnx_are_one_program_abstractly(cell):
    """Not only equal numbers: the same operations, in outputs and in gradients."""
    args = jax.eval_shape(lambda: arguments(cell, TIME, (BATCH,)))
    faces = (by_functions, by_linen, by_nnx)
    expected, *programs = (str(jax.make_jaxpr(with_gradients(f, cell, unrolls.Scan()))(*args)) for f in faces)
    for program in programs:
        assert program == expected


@parameters("cell", CELLS, is_varied)
def test_functions_linen_and_nnx_are_one(x64, cell):
    args = arguments(cell, TIME, (BATCH,))
    faces = (by_functions, by_linen, by_nnx)
    expected, *results = quick(lambda *a: [with_gradients(f, cell, unrolls.Loop())(*a) for f in faces])(*args)
    for result in results:
        assert_close(result, expected, 1e-12)


@parameters("cell", CELLS)
def test_parameters_are_those_of_init_abstractly(cell):
    xs = jax.ShapeDtypeStruct((BATCH, TIME, FEATURES), jnp.float32)
    like = jax.eval_shape(lambda: cell.init(jax.random.key(0), FEATURES))
    for kind in (rnnzoo.linen.RNN(cell), nn.RNN(rnnzoo.linen.RNNCell(cell, name="cell"))):
        found = jax.eval_shape(kind.init, jax.random.key(0), xs)["params"]
        assert found.get("cell", found) == like
    for kind in (rnnzoo.nnx.RNN, rnnzoo.nnx.RNNCell):
        module = nnx.eval_shape(lambda kind=kind: kind(cell, FEATURES, rngs=nnx.Rngs(0)))
        assert nnx.to_pure_dict(nnx.state(module)) == {"params": like}


@pytest.mark.parametrize("dtype", ["bfloat16", pytest.param("float16", marks=pytest.mark.slow)])
@parameters("cell", CELLS, is_varied)
def test_half_precision_in_and_out_abstractly(cell, dtype):
    cell = dataclasses.replace(cell, dtype=dtype)
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), FEATURES))
    xs = jax.ShapeDtypeStruct((BATCH, TIME, FEATURES), dtype)
    for face in ("linen", "nnx"):
        for function in (call, flax_call):
            carry, ys = jax.eval_shape(lambda p, x, f=function, face=face: f(face, cell, p, x), params, xs)
            assert ys.dtype == dtype
            assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(carry))


@parameters("cell", CELLS)
def test_the_first_carry_before_there_are_parameters_abstractly(cell):
    """`linen.RNNCell.initialize_carry` may be called then: an initial state may read parameters, which it draws."""
    key = jax.random.key(0)
    state = jax.eval_shape(lambda key: cell.initial_state(cell.prepare(cell.init(key, FEATURES))), key)
    carry = jax.eval_shape(lambda key: rnnzoo.linen.RNNCell(cell=cell).initialize_carry(key, (BATCH, FEATURES)), key)
    assert carry == jax.tree.map(lambda a: jax.ShapeDtypeStruct((BATCH, *a.shape), a.dtype), state)


# ---- Flax's own wrappers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [BANDED, cells.LRU(hidden_size=HIDDEN)], ids=["LSTM", "LRU"])
@ALL_FACES
def test_flax_around_our_cell_is_our_rnn(x64, face, cell):
    params, xs, _ = arguments(cell, TIME, (BATCH,))

    def grads(function):
        def total(params, xs):
            carry, ys = function(face, cell, params, xs)
            return (ys**3).sum() + sum(leaf.sum() for leaf in jax.tree.leaves(carry)), (carry, ys)

        return jax.value_and_grad(total, (0, 1), has_aux=True)

    ours, theirs = quick(lambda *a: (grads(call)(*a), grads(flax_call)(*a)))(params, rows(xs))
    assert_close(ours, theirs, 1e-12)


@pytest.mark.parametrize("keep_order", [False, True])
@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@ALL_FACES
@eager
def test_order_is_that_of_flax(x64, face, reverse, time_major, keep_order):
    """Within the lengths, where Flax is right: one batch axis, no empty sequence."""
    cell = cells.MinGRU(hidden_size=HIDDEN)
    params, xs, state = arguments(cell, TIME, (BATCH,))
    lengths = jnp.array([3, 2])
    options = {"reverse": reverse, "time_major": time_major, "keep_order": keep_order, "seq_lengths": lengths}
    given = xs if time_major else rows(xs)
    (carry, ys), (flax_carry, flax_ys) = (
        f(face, cell, params, given, initial_carry=state, **options) for f in (call, flax_call)
    )
    valid = (jnp.arange(TIME)[:, None] < lengths)[..., None]
    valid = valid if time_major else rows(valid)
    assert_close((carry, ys), (flax_carry, jnp.where(valid, flax_ys, 0)), 1e-12)


@ALL_FACES
@eager
def test_bidirectional_is_two_runs(x64, face):
    cell = cells.MinGRU(hidden_size=HIDDEN)
    one, xs, _ = arguments(cell, TIME, (BATCH,))
    two = arguments(cell, seed=1)[0]
    forward, first = run(cell, one, xs, lengths=LENGTHS)
    backward, second = run(cell, two, xs, lengths=LENGTHS, reverse=True)
    if face == "linen":
        both = nn.Bidirectional(rnnzoo.linen.RNN(cell), rnnzoo.linen.RNN(cell), return_carry=True)
        variables = {"params": {"forward_rnn": one, "backward_rnn": two}}
        got = both.apply(variables, rows(xs), seq_lengths=LENGTHS)
    else:
        got = nnx.Bidirectional(nnx_rnn(cell, one), nnx_rnn(cell, two), return_carry=True)(
            rows(xs), seq_lengths=LENGTHS
        )
    assert_close(got, ((first, second), rows(jnp.concatenate([forward, backward], -1))), 1e-12)


@eager
def test_bidirectional_around_our_cells(x64):
    cell = cells.MinGRU(hidden_size=HIDDEN)
    one, xs, _ = arguments(cell, TIME, (BATCH,))
    two = arguments(cell, seed=1)[0]
    ours = [run(cell, one, xs)[0], run(cell, two, xs, reverse=True)[0]]
    linen = nn.Bidirectional(nn.RNN(rnnzoo.linen.RNNCell(cell)), nn.RNN(rnnzoo.linen.RNNCell(cell)))
    variables = {"params": {"forward_rnn": {"cell": one}, "backward_rnn": {"cell": two}}}
    first, second = (nnx.RNN(nnx_rnn(cell, p, rnnzoo.nnx.RNNCell), rngs=False) for p in (one, two))
    expected = rows(jnp.concatenate(ours, -1))
    assert_close(linen.apply(variables, rows(xs)), expected, 1e-12)
    assert_close(nnx.Bidirectional(first, second)(rows(xs)), expected, 1e-12)


def test_linen_scan_and_remat_around_our_cell(x64):
    params, xs, state = arguments(BANDED, TIME, (BATCH,))
    scanned = nn.scan(
        nn.remat(rnnzoo.linen.RNNCell), variable_broadcast="params", split_rngs={"params": False}, in_axes=0, out_axes=0
    )(BANDED)
    last, ys = quick(scanned.apply)({"params": params}, state, xs)
    assert_close((ys, last), quick(lambda *args: run(BANDED, *args))(params, xs, state), 1e-12)


# ---- where Flax is not right -----------------------------------------------------------------------------


@pytest.mark.parametrize("reverse", [False, True])
@ALL_FACES
@eager
def test_lengths_with_two_batch_axes(x64, face, reverse):
    cell = cells.MinGRU(hidden_size=HIDDEN)
    params, xs, state = arguments(cell, TIME, (2, 2))
    lengths = jnp.array([[3, 0], [1, 2]])
    resets = jax.random.bernoulli(jax.random.key(5), 0.3, (TIME, 2, 2))
    ys, last = run(cell, params, xs, state, lengths=lengths, resets=resets, reverse=reverse)
    carry, got = call(
        face, cell, params, rows(xs), initial_carry=state, seq_lengths=lengths, reverse=reverse, keep_order=True,
        resets=jnp.moveaxis(resets, 0, -1),
    )  # fmt: skip
    assert_close((carry, got), (last, rows(ys)), 1e-12)
    assert_close(carry["h"][0, 1], state["h"][0, 1], 0)  # length 0
    past = np.arange(TIME) >= np.asarray(lengths)[..., None]
    assert not np.asarray(got)[past].any()


def test_the_carry_with_lengths_costs_no_memory_over_time():
    """As the compiler counts it; c of an LSTM, which the outputs do not hold, would be T B H numbers."""
    cell, (batch, time, hidden) = cells.LSTM(hidden_size=8), (4, 64, 8)
    params = cell.init(jax.random.key(0), FEATURES)
    xs, lengths = jnp.ones((batch, time, FEATURES)), jnp.array([3, 0, 64, 9])
    rnn = rnnzoo.linen.RNN(cell)

    def memory(return_carry):
        def function(params, xs, lengths):
            return rnn.apply({"params": params}, xs, seq_lengths=lengths, return_carry=return_carry)

        found: Any = jax.jit(function).lower(params, xs, lengths).compile().memory_analysis()
        return found.temp_size_in_bytes

    assert memory(True) - memory(False) < 4 * batch * time * hidden / 2


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (2, 0, 3), (4, 2, 0, 3)])
@ALL_FACES
def test_short_sequences_and_any_number_of_batch_axes_abstractly(face, shape):
    cell = cells.MinGRU(hidden_size=HIDDEN)
    params = cell.init(jax.random.key(0), FEATURES)
    carry, ys = jax.eval_shape(lambda xs: call(face, cell, params, xs, reverse=True), jnp.ones(shape))
    assert ys.shape == (*shape[:-1], HIDDEN)
    assert carry["h"].shape == (*shape[:-2], HIDDEN)


# ---- options ---------------------------------------------------------------------------------------------


@ALL_FACES
@eager
def test_elapsed_time(x64, face):
    cell = cells.CfC(hidden_size=HIDDEN)
    params, xs, _ = arguments(cell, TIME, (BATCH,))
    dt = jnp.abs(inputs(TIME, (BATCH,), 1)[..., 0])
    ys, last = run(cell, params, xs, dt=dt)
    assert_close(call(face, cell, params, rows(xs), dt=dt.T), (last, rows(ys)), 1e-12)


@eager
def test_a_step_takes_its_elapsed_time(x64):
    """Cells of Linen and NNX, step by step, are the whole sequence; without a time it is 1."""
    cell = cells.CfC(hidden_size=HIDDEN)
    params, xs, state = arguments(cell, TIME, (BATCH,))
    dt = jnp.abs(inputs(TIME, (BATCH,), 1)[..., 0])
    linen, module = rnnzoo.linen.RNNCell(cell), rnnzoo.nnx.RNNCell(cell, xs.shape[-1], rngs=nnx.Rngs(0))
    rnnzoo.nnx.set_params(module, params)
    for step in (functools.partial(linen.apply, {"params": params}), module):
        carry, ys = state, []
        for t in range(TIME):
            carry, y = step(carry, xs[t], dt[t])
            ys.append(y)
        assert_close((jnp.stack(ys), carry), run(cell, params, xs, state, dt=dt), 1e-12)
        assert_close(step(state, xs[0]), step(state, xs[0], jnp.ones(BATCH)), 0)


@eager
def test_noise_is_drawn_in_training_only(x64):
    cell = wrappers.Zoneout(cell=cells.MinGRU(hidden_size=HIDDEN))
    params, xs, _ = arguments(cell, TIME, (BATCH,))
    quiet = rows(run(cell, params, xs)[0])
    linen: Any = rnnzoo.linen.RNN(cell)
    variables, rngs = {"params": params}, {"dropout": jax.random.key(3)}
    assert_close(linen.apply(variables, rows(xs)), quiet, 1e-12)
    assert_close(linen.clone(deterministic=True).apply(variables, rows(xs), rngs=rngs), quiet, 1e-12)
    assert not np.allclose(linen.apply(variables, rows(xs), rngs=rngs), quiet)
    module = nnx_rnn(cell, params)
    assert not np.allclose(module(rows(xs), rngs=nnx.Rngs(0)), quiet)
    both: Any = nnx.Bidirectional(module, module)
    assert not np.allclose(both(rows(xs))[..., :HIDDEN], quiet)
    module.eval()
    assert_close(module(rows(xs), rngs=nnx.Rngs(0)), quiet, 1e-12)


# ---- errors ----------------------------------------------------------------------------------------------


@ALL_FACES
def test_errors_name_the_argument(face):
    params = BANDED.init(jax.random.key(0), FEATURES)
    with pytest.raises(rnnzoo.UsageError, match=r"inputs has shape \(3,\); accepted: \(\*batch, T, I\)"):
        call(face, BANDED, params, jnp.ones(3))
    with pytest.raises(rnnzoo.UsageError, match="lengths"):
        call(face, BANDED, params, jnp.ones((2, 3, 3)), seq_lengths=jnp.array([4, 0]))
    with pytest.raises(rnnzoo.UsageError, match="state"):
        call(face, BANDED, params, jnp.ones((2, 3, 3)), initial_carry={"h": jnp.ones(HIDDEN)})
    with pytest.raises(rnnzoo.UsageError, match="partition"):
        make = {"linen": rnnzoo.linen.RNN, "nnx": rnnzoo.nnx.RNN}[face]
        if face == "linen":
            make(BANDED, partition=lambda name, shape: ("x", "y", "z")).init(jax.random.key(0), jnp.ones((2, 3, 3)))
        else:
            make(BANDED, FEATURES, rngs=nnx.Rngs(0), partition=lambda name, shape: ("x", "y", "z"))


@pytest.mark.parametrize(
    "structure",
    [structures.Kronecker(), structures.Clockwork(), structures.Partitioned(), structures.Identity()],
    ids=lambda s: type(s).__name__,
)
def test_trees_that_are_not_all_dicts_go_between_the_faces(structure):
    cell = cells.Elman(hidden_size=8, structure=structure)
    params = cell.init(jax.random.key(1), FEATURES)
    module = nnx_rnn(cell, params)
    assert_close(rnnzoo.nnx.get_params(module), params, 0)
    xs = inputs(TIME, (BATCH,), FEATURES)
    assert_close(columns(module(rows(xs))), run(cell, rnnzoo.nnx.get_params(module), xs)[0], 0)
    with pytest.raises(rnnzoo.UsageError, match=r"params of Elman are .*; accepted: "):
        rnnzoo.nnx.set_params(module, {**params, "w": {"h": jnp.ones((2, 8))}})


def test_what_is_no_cell_is_refused():
    with pytest.raises(rnnzoo.UsageError, match=r"(?s)cell is LSTMCell.*; accepted: a specification"):
        rnnzoo.linen.RNN(nn.LSTMCell(4)).init(jax.random.key(0), jnp.ones((2, 3, 4)))  # pyright: ignore
    with pytest.raises(rnnzoo.UsageError, match=r"cell is .*; accepted: a specification"):
        rnnzoo.nnx.RNN(cells.LSTM, 3, rngs=nnx.Rngs(0))  # pyright: ignore
    with pytest.raises(rnnzoo.UsageError, match="in_features is 0; accepted: 1 or more"):
        rnnzoo.nnx.RNN(BANDED, 0, rngs=nnx.Rngs(0))


def test_carry_init_draws_the_first_carry():
    module = rnnzoo.nnx.RNNCell(BANDED, FEATURES, rngs=nnx.Rngs(0))
    assert not module.initialize_carry((2, FEATURES))["h"].any()
    drawn = module.initialize_carry((2, FEATURES), nnx.Rngs(1), nnx.initializers.normal())
    assert drawn["h"].shape == (2, HIDDEN) and drawn["h"].any() and not jnp.array_equal(drawn["h"], drawn["c"])
    with pytest.raises(rnnzoo.UsageError, match="carry_init"):
        module.initialize_carry((2, FEATURES), carry_init=nnx.initializers.normal())


def test_golden_names():
    """Names and shapes as each face stores them. Meant change: ``python -m tests.golden.update``."""
    stored = json.loads((update.FOLDER / "faces.json").read_text())
    assert update.faces() == stored
