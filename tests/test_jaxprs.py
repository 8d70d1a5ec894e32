"""Every kind of call that a step may contain is recognised, on the oldest and the newest JAX, and nothing else is."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend import core
from jax.extend.core import primitives

from rnnzoo.export.jaxpr import translate
from rnnzoo.jaxprs import CALLS, inner_jaxpr, is_literal


@jax.custom_jvp
def with_jvp(x):
    return jnp.sin(x)


with_jvp.defjvp(lambda primals, tangents: (with_jvp(*primals), jnp.cos(*primals) * tangents[0]))


@jax.custom_vjp
def with_vjp(x):
    return jnp.sin(x)


with_vjp.defvjp(lambda x: (with_vjp(x), x), lambda x, ct: (ct * jnp.cos(x),))

CALLED = {
    "jit": jax.jit(jnp.sin),
    "jit with a constant array": jax.jit(lambda x: jnp.sin(x) + np.arange(3.0, dtype=np.float32)),
    "custom_jvp": with_jvp,
    "custom_vjp": with_vjp,
    "remat": jax.checkpoint(jnp.sin),
    "nested": jax.checkpoint(jax.jit(with_vjp)),
}
LOOPS = {
    "scan": lambda x: jax.lax.scan(lambda h, _: (jnp.sin(h), None), x, None, 2)[0],
    "while": lambda x: jax.lax.while_loop(lambda h: h[0] > 9, jnp.sin, x),
    "cond": lambda x: jax.lax.cond(x[0] > 0, jnp.sin, jnp.cos, x),
}


def closed_call(kind: str) -> core.ClosedJaxpr:
    """A jaxpr with a call of a kind that no public function of JAX makes."""
    closed = jax.make_jaxpr(jnp.sin)(jnp.ones(3))
    inner = closed.jaxpr
    called = inner if kind == "call_p" else closed
    eqn = core.new_jaxpr_eqn(inner.invars, inner.outvars, getattr(primitives, kind), {"call_jaxpr": called}, set())
    return core.ClosedJaxpr(inner.replace(eqns=[eqn]), ())


def jaxprs() -> dict[str, core.ClosedJaxpr]:
    made = {name: jax.make_jaxpr(function)(jnp.ones(3)) for name, function in CALLED.items()}
    return made | {kind: closed_call(kind) for kind in ("call_p", "closed_call_p")}


@pytest.mark.parametrize("name", [*CALLED, "call_p", "closed_call_p"])
def test_calls_are_seen_through(name):
    closed = jaxprs()[name]
    (eqn,) = closed.jaxpr.eqns
    inner = inner_jaxpr(eqn)
    assert inner is not None and len(inner.jaxpr.outvars) == len(eqn.outvars)
    program = translate(closed, ["x"])
    assert any("np.sin" in line for line in program.lines)


@pytest.mark.parametrize("name", LOOPS)
def test_loops_and_branches_are_no_calls(name):
    eqns = jax.make_jaxpr(LOOPS[name])(jnp.ones(3)).jaxpr.eqns
    assert eqns and all(inner_jaxpr(eqn) is None for eqn in eqns)


def test_all_kinds_of_calls_are_tested():
    def kinds(jaxpr: Any) -> set[Any]:
        found = {eqn.primitive for eqn in jaxpr.eqns}
        return found.union(*(kinds(inner.jaxpr) for eqn in jaxpr.eqns if (inner := inner_jaxpr(eqn)) is not None))

    assert set().union(*(kinds(closed.jaxpr) for closed in jaxprs().values())) >= CALLS


def test_literals():
    (eqn,) = jax.make_jaxpr(lambda x: x + 1)(1.0).jaxpr.eqns
    assert [is_literal(atom) for atom in eqn.invars] == [False, True]
