import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs

import rnnzoo
from rnnzoo import cells, structures
from rnnzoo.models import LayerNorm, Model, Stack, layer
from rnnzoo.models.layer import Call, Keys

CELL = cells.GRU(hidden_size=6, structure=structures.Diagonal())


def model(**fields):
    stack = {k: fields.pop(k) for k in list(fields) if k in Stack.__dataclass_fields__}
    return Model(**({"cell": CELL, "input_size": 4, "output_size": 3, "stack": Stack(**stack)} | fields))


@pytest.mark.parametrize(
    ("tokens", "read", "bidirectional", "embedding"),
    list(itertools.product([False, True], ["each", "last"], [False, True], [0, 5])),
)
def test_shapes_of_every_kind_of_network(tokens, read, bidirectional, embedding):
    net = model(
        tokens=tokens,
        read=read,
        bidirectional=bidirectional,
        embedding_size=embedding,
        layers=2,
        norm=True,
        residual=True,
    )
    x = jnp.zeros((7, 2), jnp.int32) if tokens else inputs(7, (2,))
    params = jax.eval_shape(lambda: net.init(jax.random.key(0)))
    out, last = jax.eval_shape(lambda p: net.apply(p, x, lengths=jnp.array([7, 3])), params)
    assert out.shape == ((7, 2, 3) if read == "each" else (2, 3))
    assert sorted(last) == ["layer_0", "layer_1"]


def test_one_layer_is_the_cell_and_the_head():
    net = model()
    params = net.init(jax.random.key(0))
    out, last = net.apply(params, inputs())
    ys, state = rnnzoo.run(CELL, params["layer_0"]["cell"], inputs())
    assert_close(out, ys @ params["head"]["w"].T + params["head"]["b"], 1e-6)
    assert_close(last["layer_0"], state, 0)


def test_tokens_are_rows_of_the_embedding_and_one_hot_without_it():
    tokens = jnp.array([[0, 3], [2, 1]])
    net = model(tokens=True, embedding_size=5)
    params = net.init(jax.random.key(0))
    vectors = model(input_size=5)
    assert_close(
        net.apply(params, tokens)[0],
        vectors.apply({k: v for k, v in params.items() if k != "embed"}, params["embed"]["w"][tokens])[0],
        1e-6,
    )
    plain = model(tokens=True)
    params = plain.init(jax.random.key(0))
    assert_close(plain.apply(params, tokens)[0], model().apply(params, jnp.eye(4)[tokens])[0], 1e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_last_step_is_the_last_valid_one(bidirectional):
    net = model(read="last", bidirectional=bidirectional, layers=2)
    params = net.init(jax.random.key(0))
    xs = inputs(7, (3,))
    together, _ = net.apply(params, xs, lengths=jnp.array([7, 3, 0]))
    for row, length in enumerate([7, 3]):
        alone, _ = net.apply(params, xs[:length, row : row + 1])
        assert_close(together[row : row + 1], alone, 1e-5)
    assert_close(together[2], params["head"]["b"], 0)


def test_a_sequence_may_be_split_and_the_state_passed_on():
    net = model(layers=2, norm=True, residual=True)
    params = net.init(jax.random.key(0))
    whole, _ = net.apply(params, inputs())
    first, state = net.apply(params, inputs()[:3])
    second, _ = net.apply(params, inputs()[3:], state)
    assert_close(jnp.concatenate([first, second]), whole, 1e-6)
    with pytest.raises(rnnzoo.UsageError, match="bidirectional"):
        both = model(bidirectional=True)
        both.apply(both.init(jax.random.key(0)), inputs(), state)


def test_residual_adds_a_layers_input_to_its_output():
    plain, residual = model(layers=2), model(layers=2, residual=True)
    params = plain.init(jax.random.key(0))
    first, _ = rnnzoo.run(CELL, params["layer_0"]["cell"], inputs())
    second, _ = rnnzoo.run(CELL, params["layer_1"]["cell"], first)
    head = params["head"]
    assert_close(plain.apply(params, inputs())[0], second @ head["w"].T + head["b"], 1e-5)
    assert_close(residual.apply(params, inputs())[0], (first + second) @ head["w"].T + head["b"], 1e-5)


def test_layer_norm_has_mean_0_and_variance_1():
    normed = LayerNorm()({"scale": jnp.ones(6), "bias": jnp.zeros(6)}, 3 + 2 * inputs(5, (2,), 6))
    np.testing.assert_allclose(normed.mean(-1), 0, atol=1e-5)
    np.testing.assert_allclose(normed.var(-1), 1, atol=1e-3)


def test_dropout_acts_in_training_only_and_keeps_the_mean():
    net = model(dropout=0.5)
    params = net.init(jax.random.key(0))
    plain, dropped = (net.apply(params, inputs(), dropout_key=k)[0] for k in (None, jax.random.key(1)))
    assert not np.allclose(plain, dropped)
    assert_close(plain, model().apply(params, inputs())[0], 0)
    call, keys = Call(rnnzoo.run, None, None, 0.25), Keys(jax.random.key(0), jax.random.key(1))
    many = layer.dropped(call, keys, jnp.ones((100, 100)))
    assert abs(float(many.mean()) - 1) < 0.02 and abs(float((many == 0).mean()) - 0.25) < 0.02


def test_half_precision_cells_have_single_precision_outputs():
    half = model(cell=cells.GRU(hidden_size=6, dtype="bfloat16"), layers=2, norm=True)
    out, last = half.apply(half.init(jax.random.key(0)), inputs())
    assert out.dtype == jnp.float32 and last["layer_1"]["h"].dtype == jnp.float32


@pytest.mark.parametrize("lengths", [None, jnp.zeros(2, int)])
def test_no_steps_have_no_last_one(lengths):
    net = model(read="last")
    with pytest.raises(rnnzoo.UsageError, match=r"x of shape \(0, 2, 4\) has no last step to read; accepted: one"):
        net.apply(net.init(jax.random.key(0)), jnp.zeros((0, 2, 4)), lengths=lengths)
