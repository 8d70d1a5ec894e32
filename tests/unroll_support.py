"""What tests of unrolls share: small arguments, and one loss that all of them influence."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from support import inputs, last_axis, random_like

from rnnzoo import run

FEATURES, TIME, BATCH = 3, 4, 3  # the same in most tests: operations are compiled once per shape
quick = functools.partial(
    jax.jit, compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
)


def eager(test: Any) -> Any:
    """Decorator: nothing is compiled but single operations."""

    @functools.wraps(test)
    def run_test(*args, **kwargs):
        with jax.disable_jit():
            return test(*args, **kwargs)

    return run_test


def stack(trees: list) -> Any:
    return jax.tree.map(lambda *a: jnp.stack(a), *trees)


def arguments(cell: Any, time: int = TIME, batch: tuple[int, ...] = (BATCH,), seed: int = 0) -> tuple[Any, Any, Any]:
    """Random parameters, inputs (T, *B, I), and initial state (*B, H)."""
    keys = jax.random.split(jax.random.key(seed), 3)
    params = cell.init(keys[0], cell.input_size_of(FEATURES))
    params = jax.tree.map(jnp.add, params, random_like(keys[1], params, 0.1))
    state = jax.tree.map(lambda a: jnp.zeros((*batch, *a.shape), a.dtype), cell.initial_state(params))
    return (
        params,
        inputs(time, (*batch, *cell.leading_axes), last_axis(cell, FEATURES), seed),
        random_like(keys[2], state, 0.5),
    )


def loss(cell, unroll, params, xs, state, options):
    """A number that every output and every leaf of the last state influences; and those."""
    ys, last = run(cell, params, xs, state, unroll=unroll, **options)
    wide = jnp.promote_types(ys.dtype, jnp.float32)
    weights = jnp.cos(jnp.arange(ys.size, dtype=wide)).reshape(ys.shape)
    total = (weights * ys.astype(wide) ** 2).sum() + sum((leaf**3).sum() for leaf in jax.tree.leaves(last))
    return total, (ys, last)


def values_and_gradients(cell, unroll, args, **options):
    """Outputs, last state, and gradients with respect to parameters, inputs and initial state."""
    function = functools.partial(loss, cell, unroll, options=options)
    (_, values), grads = jax.value_and_grad(function, (0, 1, 2), has_aux=True)(*args)
    return values, grads


LENGTHS = jnp.array([4, 0, 2])
RESETS = jnp.array([[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0]], bool)
