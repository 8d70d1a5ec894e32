"""How far back a gradient reaches, against what is known and against a plain loop."""

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo import cells, run, structures
from rnnzoo.analysis.gradient_reach import gradient_by_lag

T, B, SIZE = 12, 3, 4


def test_a_unit_that_hears_itself_forgets_by_its_weight():
    cell = cells.IndRNN(hidden_size=1)
    params = {"w": {"h": jnp.ones((1, 1))}, "b": {"h": jnp.zeros(1)}, "u": {"h": jnp.array([0.5])}}
    norms = gradient_by_lag(cell, params, jnp.ones((T, B, 1)), jax.random.key(0))
    np.testing.assert_allclose(norms / norms[0], 0.5 ** np.arange(T), rtol=1e-6)


def test_it_is_the_gradient_of_each_step_by_itself():
    cell = cells.GRU(hidden_size=SIZE, structure=structures.Banded(bandwidth=1))
    params, key = cell.init(jax.random.key(0), 2), jax.random.key(1)
    xs = jax.random.normal(jax.random.key(2), (T, B, 2))
    direction = jax.random.normal(key, (SIZE,))

    def projected(x, lag, sequence):
        ys, _ = run(cell, params, xs[:, sequence, None].at[T - 1 - lag, 0].set(x))
        return ys[-1, 0] @ direction

    for lag, norm in enumerate(gradient_by_lag(cell, params, xs, key)):
        by_sequence = [jax.grad(projected)(xs[T - 1 - lag, b], lag, b) for b in range(B)]
        np.testing.assert_allclose(norm, np.sqrt(np.mean([(g**2).sum() for g in by_sequence])), rtol=1e-4)
