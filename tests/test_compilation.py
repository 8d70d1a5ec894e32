"""A thousand calls compile nothing after the first, whatever the lengths are, and keep no memory."""

import gc

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import rnnzoo
import rnnzoo.linen
import rnnzoo.nnx
from rnnzoo import cells, run, structures
from rnnzoo.models import Model

TIME, BATCH, FEATURES, CALLS = 5, 3, 2, 1000
CELL = cells.GRU(hidden_size=4, structure=structures.Diagonal())


def _run():
    params = CELL.init(jax.random.key(0), FEATURES)
    return lambda xs, lengths: run(CELL, params, xs, lengths=lengths)


def _model():
    model = Model(cell=CELL, input_size=FEATURES, output_size=2)
    params = model.init(jax.random.key(0))
    return lambda xs, lengths: model.apply(params, xs, lengths=lengths)


def _linen():
    layer = rnnzoo.linen.RNN(CELL)
    variables = layer.init(jax.random.key(0), jnp.zeros((BATCH, TIME, FEATURES)))
    return lambda xs, lengths: layer.apply(variables, xs.swapaxes(0, 1), seq_lengths=lengths)


def _nnx():
    layer = rnnzoo.nnx.RNN(CELL, FEATURES, rngs=nnx.Rngs(0))
    return lambda xs, lengths: layer(xs.swapaxes(0, 1), seq_lengths=lengths)


@pytest.mark.parametrize("make", [_run, _model, _linen, _nnx])
def test_a_thousand_ragged_batches_compile_nothing(compiled, make):
    call, random = make(), np.random.default_rng(0)
    xs = jnp.asarray(random.normal(size=(TIME, BATCH, FEATURES)), jnp.float32)
    batches = [jnp.asarray(random.integers(0, TIME + 1, BATCH)) for _ in range(20)]
    jax.block_until_ready(call(xs, batches[0]))
    compiled.clear()
    for k in range(CALLS):
        result = call(xs, batches[k % 20])
        if k == CALLS // 10:
            gc.collect()
            arrays = len(jax.live_arrays())
    jax.block_until_ready(result)
    gc.collect()
    assert not compiled
    assert len(jax.live_arrays()) <= arrays


def test_the_listener_hears_a_compilation(compiled):
    jax.jit(lambda x: x * 3.25 + 17)(jnp.ones(7)).block_until_ready()
    assert compiled
