"""Run by test_devices.py in a process of its own with two CPU devices: every unroll over both is itself on one."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P
from support import assert_close
from zoo import UNROLLS, is_composed, is_light, name_of, parameters

import rnnzoo
from rnnzoo import cells, run, unrolls, wrappers
from rnnzoo.unrolls.iterative import Iterative

GRU, LRU, GLA = cells.GRU(hidden_size=4), cells.LRU(hidden_size=4), cells.GLA(hidden_size=4)
LSTM = cells.LSTM(hidden_size=4)
NOISY = wrappers.Zoneout(cell=cells.CfC(hidden_size=4))
TIME, BATCH, FEATURES = 5, 4, 3
ARRAYS: Any = {
    "xs": np.random.default_rng(1).normal(size=(TIME, BATCH, FEATURES)).astype(np.float32),
    "lengths": np.array([5, 3, 0, 4], np.int32),
    "resets": np.arange(TIME * BATCH).reshape(TIME, BATCH) == 2 * BATCH,
    "mask": np.arange(TIME * BATCH).reshape(TIME, BATCH) != BATCH + 3,
}
SPLIT = {name: P("d") if name == "lengths" else P(None, "d") for name in ARRAYS}
ELSEWHERE = (unrolls.CuDNN(), unrolls.Fused())  # which need a GPU
RUNS = [(next(c for c in (GRU, LRU, GLA) if u.refuses(c) is None), u) for u in UNROLLS if u not in ELSEWHERE]
RUNS += [(NOISY, unrolls.Scan())]
QUICK = ("Scan", "Associative")
each_run = parameters(("cell", "unroll"), RUNS, lambda cell, unroll: is_light(LSTM, unroll) and not is_composed(unroll))
each_number = parameters(("cell", "unroll"), RUNS, lambda cell, unroll: cell != NOISY and name_of(unroll) in QUICK)


@functools.cache
def params_of(cell):
    return cell.init(jax.random.key(0), FEATURES)


def mesh_of(kind: AxisType) -> Any:
    return jax.make_mesh((2,), ("d",), axis_types=(kind,))


def values_and_gradients(cell, unroll, params, arrays):
    """Outputs, last states, all states, and gradients by parameters and inputs."""
    key = jax.random.key(2) if cell == NOISY else None

    def loss(params, xs):
        found = run(cell, params, **arrays | {"xs": xs}, reverse=True, states=True, key=key, unroll=unroll)
        return sum((jnp.abs(a) ** 2).sum() for a in jax.tree.leaves(found)), found

    gradients, found = jax.grad(loss, (0, 1), has_aux=True)(params, arrays["xs"])
    return found, gradients


def under_shard_map(cell, unroll):
    """`values_and_gradients` over two devices, each with its part of the batch."""
    function = functools.partial(values_and_gradients, cell, unroll)
    outs = ((P(None, "d"), P("d"), P(None, "d")), (P(), P(None, "d")))
    return jax.shard_map(function, mesh=mesh_of(AxisType.Auto), in_specs=(P(), SPLIT), out_specs=outs)


def placed(mesh):
    return jax.tree.map(lambda a, spec: jax.device_put(a, NamedSharding(mesh, spec)), ARRAYS, SPLIT)


@functools.cache
def expected(cell, unroll):
    """On one device; exact unrolls have the numbers of `Scan`."""
    unroll = unrolls.Scan() if unroll.exact else unroll
    return jax.jit(functools.partial(values_and_gradients, cell, unroll))(params_of(cell), ARRAYS)


def refused_on_explicit_meshes(unroll):
    return isinstance(unroll, Iterative)


@each_run
def test_traces(cell, unroll):
    like = jax.eval_shape(functools.partial(values_and_gradients, cell, unroll), params_of(cell), ARRAYS)
    assert jax.eval_shape(under_shard_map(cell, unroll), params_of(cell), ARRAYS) == like
    mesh = mesh_of(AxisType.Explicit)
    with jax.set_mesh(mesh):
        run_there = functools.partial(jax.eval_shape, functools.partial(values_and_gradients, cell, unroll))
        if refused_on_explicit_meshes(unroll):
            with pytest.raises(rnnzoo.UsageError, match=r"explicit mesh axis 'd'.*accepted: Scan\(\), .*shard_map"):
                run_there(params_of(cell), placed(mesh))
        else:
            found = run_there(params_of(cell), placed(mesh))
            assert jax.tree.map(lambda a: a.shape, found) == jax.tree.map(lambda a: a.shape, like)


@each_number
def test_numbers_under_shard_map(cell, unroll):
    if cell != NOISY:  # each device would draw the same noise for its sequences
        assert_close(jax.jit(under_shard_map(cell, unroll))(params_of(cell), ARRAYS), expected(cell, unroll), 1e-5)


@each_number
def test_numbers_on_an_explicit_mesh(cell, unroll):
    if not refused_on_explicit_meshes(unroll):
        mesh = mesh_of(AxisType.Explicit)
        with jax.set_mesh(mesh):
            found = jax.jit(functools.partial(values_and_gradients, cell, unroll))(params_of(cell), placed(mesh))
        assert_close(found, expected(cell, unroll), 1e-5)


def test_an_explicit_mesh_outside_of_jit():
    params = params_of(GRU)
    given: dict[str, Any] = dict(ARRAYS)
    alone = run(GRU, params, **given, reverse=True)
    mesh = mesh_of(AxisType.Explicit)
    with jax.set_mesh(mesh):
        xs = jax.device_put(ARRAYS["xs"], NamedSharding(mesh, SPLIT["xs"]))  # and controls on every device
        assert_close(run(GRU, params, **given | {"xs": xs}, reverse=True), alone, 1e-6)
        with pytest.raises(rnnzoo.UsageError, match="T is split over the explicit mesh axis 'd'"):
            run(GRU, params, jax.device_put(jnp.ones((4, 4, 3)), NamedSharding(mesh, P("d"))))


@parameters(
    ("unroll", "axes"),
    [
        (u, a)
        for u in (unrolls.AssociativeMemory(chunk=2), unrolls.ChunkedMemory(chunk=2))
        for a in (("d",), (None, "d"))
    ],
    lambda unroll, axes: name_of(unroll) == "AssociativeMemory" and axes == ("d",),
)
def test_matrix_memories_in_chunks(unroll, axes):
    """The time axis split over devices, or the batch; by outputs only, as states come from a loop."""
    cell = cells.GatedDeltaNet(hidden_size=4)
    params, xs = cell.init(jax.random.key(0), FEATURES), jax.random.normal(jax.random.key(1), (8, BATCH, FEATURES))
    mesh = mesh_of(AxisType.Auto)

    def loss(unroll, params, xs):
        ys, last = run(cell, params, xs, resets=jnp.zeros(xs.shape[:2], bool).at[3, 1].set(True), unroll=unroll)
        return (ys**2).sum() + sum((a**2).sum() for a in jax.tree.leaves(last))

    there = jax.device_put(xs, NamedSharding(mesh, P(*axes)))
    found = jax.jit(jax.value_and_grad(functools.partial(loss, unroll), (0, 1)))(params, there)
    assert len(found[1][1].sharding.device_set) == 2
    assert_close(found, jax.jit(jax.value_and_grad(functools.partial(loss, unrolls.Scan()), (0, 1)))(params, xs), 1e-5)
