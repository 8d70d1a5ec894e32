"""`run` in jax.export with a symbolic T: every unroll says whether it takes one, and is right about it."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import export
from support import assert_close
from zoo import UNROLLS, parameters

from rnnzoo import UsageError, cells, run, unrolls, wrappers

GRU, LRU, GLA = cells.GRU(hidden_size=4), cells.LRU(hidden_size=4), cells.GLA(hidden_size=4)
RUNS = [(c, u) for u in UNROLLS for c in [c for c in (GRU, LRU, GLA) if u.refuses(c) is None][:1]]  # on this device
FEATURES, BATCH = 3, 2


def exported(cell: Any, unroll: Any) -> tuple[Any, Any]:
    """Values and gradients of a run with everything, T and batch known later; as it is, and exported."""

    def function(params, xs, lengths, resets):
        def loss(params, xs):
            options = {"lengths": lengths, "resets": resets, "reverse": True, "states": cell != GLA}
            found = run(cell, params, xs, unroll=unroll, **options)
            return sum((jnp.abs(a) ** 2).sum() for a in jax.tree.leaves(found)), found

        return jax.grad(loss, (0, 1), has_aux=True)(params, xs)

    time, batch = export.symbolic_shape("T, B")
    params = jax.eval_shape(lambda: cell.init(jax.random.key(0), FEATURES))
    like = [((time, batch, FEATURES), jnp.float32), ((batch,), jnp.int32), ((time, batch), jnp.bool_)]
    program = jax.jit(function)
    return program, export.export(program)(params, *(jax.ShapeDtypeStruct(*a) for a in like)).call


@parameters(("cell", "unroll"), [run for run in RUNS if run[1].symbolic])
def test_a_symbolic_time(cell, unroll):
    function, call = exported(cell, unroll)
    params = cell.init(jax.random.key(0), FEATURES)
    for time in (1, 5):
        xs, lengths = jax.random.normal(jax.random.key(1), (time, BATCH, FEATURES)), jnp.array([time, time // 2])
        arguments = (params, xs, lengths, jnp.zeros((time, BATCH), bool).at[time // 2].set(True))
        assert_close(call(*arguments), function(*arguments), 1e-5)


@parameters(("cell", "unroll"), [run for run in RUNS if not run[1].symbolic])
def test_a_symbolic_time_is_refused_by_those_that_cannot(cell, unroll, monkeypatch):
    with pytest.raises(UsageError, match=rf"T is T, a symbol of jax.export, and {type(unroll).__name__} .*Scan\(\)"):
        exported(cell, unroll)
    monkeypatch.setattr(type(unroll), "symbolic", True)
    with pytest.raises(Exception) as caught:
        exported(cell, unroll)
    assert not isinstance(caught.value, UsageError)


def test_auto_has_a_loop_for_it_on_every_device():
    time, _ = export.symbolic_shape("T, B")
    for device in ("cpu", "gpu", "tpu"):
        assert unrolls.Auto().choose(cells.MinGRU(hidden_size=4), time, 2, device)[0] == unrolls.Scan()


def test_noise_needs_a_number_of_sequences():
    cell = wrappers.Zoneout(cell=GRU)
    params = cell.init(jax.random.key(0), FEATURES)
    time, batch = export.symbolic_shape("T, B")

    def program(batch):
        function = jax.jit(lambda xs: run(cell, params, xs, key=jax.random.key(1))[0])
        return function, export.export(function)(jax.ShapeDtypeStruct((time, batch, FEATURES), jnp.float32)).call

    xs = jax.random.normal(jax.random.key(1), (4, 2, FEATURES))
    function, call = program(2)
    assert_close(call(xs), function(xs), 1e-5)
    with pytest.raises(UsageError, match=r"key draws noise for B sequences, a symbol of .*; accepted: a number"):
        program(batch)
