"""Every cell learns: 200 updates on the adding problem, 20 steps long, halve its loss, for three seeds at once.

Inputs are value and mark, and their product. Without it a plain network of 16 units needs more updates (the loss of an
Elman network is then about 0.15, a little below that of a constant), and a cell that is linear in its inputs, such as
the LRU, cannot do it at all with a linear head.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax
import pytest
from zoo import all_cells, is_varied, parameters

from rnnzoo import tasks, unrolls
from rnnzoo.models import Model

TASK = tasks.Adding(length=20)
UPDATES, SEQUENCES, SEEDS = 200, 32, 3
RATE = 0.01
CELLS = [cell for cell in all_cells(16) if cell.feature_axes == 1]


def losses(cell: Any, key: Any) -> Any:
    """The mean loss of the first ten updates and of the last ten, of one seed."""
    model = Model(cell=cell, input_size=3, output_size=TASK.output_size, read=TASK.read)
    init_key, data_key = jax.random.split(key)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(RATE))

    def loss(params: Any, batch: Any, noise_key: Any) -> Any:
        x = jnp.concatenate([batch["x"], batch["x"].prod(-1, keepdims=True)], -1)
        outputs, _ = model.apply(params, x, dropout_key=noise_key, unroll=unrolls.Auto())
        return TASK.loss(outputs, batch)

    def update(carry: Any, key: Any) -> Any:
        params, state = carry
        batch = TASK.draw(key, SEQUENCES)
        value, grads = jax.value_and_grad(loss)(params, batch, key)
        changes, state = optimizer.update(grads, state, params)
        return (optax.apply_updates(params, changes), state), value

    params = model.init(init_key)
    _, values = jax.lax.scan(update, (params, optimizer.init(params)), jax.random.split(data_key, UPDATES))
    return values[:10].mean(), values[-10:].mean()


@pytest.mark.slow
@parameters("cell", CELLS, is_varied)
def test_every_cell_learns_to_add(cell):
    first, last = jax.jit(jax.vmap(lambda key: losses(cell, key)))(jax.random.split(jax.random.key(0), SEEDS))
    assert jnp.isfinite(last).all() and (last < first / 2).all(), (first, last)
