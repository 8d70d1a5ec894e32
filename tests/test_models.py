import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs, random_like
from unroll_support import quick

import rnnzoo
from rnnzoo import cells, structures, unrolls, wrappers
from rnnzoo.models import MLP, Block, LayerNorm, LocalAttention, Model, RMSNorm, Stack, layer
from rnnzoo.models.layer import Call, Keys

CELL = cells.GRU(hidden_size=6, structure=structures.Diagonal())


def model(**fields):
    stack = {k: fields.pop(k) for k in list(fields) if k in Stack.__dataclass_fields__}
    return Model(**({"cell": CELL, "input_size": 4, "output_size": 3, "stack": Stack(**stack)} | fields))


@pytest.mark.parametrize(
    ("tokens", "read", "bidirectional", "embedding"),
    list(itertools.product([False, True], ["each", "last", "last_step"], [False, True], [0, 5])),
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


@pytest.mark.parametrize(("read", "bidirectional"), [("last", False), ("last", True), ("last_step", True)])
def test_the_last_step_is_the_last_valid_one(read, bidirectional):
    net = model(read=read, bidirectional=bidirectional, layers=2)
    params = net.init(jax.random.key(0))
    xs = inputs(7, (3,))
    together, _ = net.apply(params, xs, lengths=jnp.array([7, 3, 0]))
    for row, length in enumerate([7, 3]):
        alone, _ = net.apply(params, xs[:length, row : row + 1])
        assert_close(together[row : row + 1], alone, 1e-5)
    assert_close(together[2], params["head"]["b"], 0)


def test_the_last_step_in_one_direction_is_the_last_output():
    nets = [model(read=read, layers=2) for read in ("last", "last_step", "each")]
    params = nets[0].init(jax.random.key(0))
    mask = jnp.array([[True, True], [True, False], [False, False]])
    last, step, each = (net.apply(params, inputs(3, (2,)), mask=mask)[0] for net in nets)
    assert_close(last, step, 0)
    assert_close(step, each[jnp.array([1, 0]), jnp.arange(2)], 1e-6)


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


@pytest.mark.parametrize("read", ["each", "last"])
@pytest.mark.parametrize("fields", [{"residual": True, "norm": True}, {"pattern": (Block(),)}], ids=["plain", "blocks"])
def test_padding_has_no_influence_even_as_nan(x64, fields, read):
    """Where layers add what they read to what they return, as where a cell alone reads it."""
    net = model(cell=cells.MinGRU(hidden_size=6), input_size=6, read=read, layers=2, **fields)
    params, xs, lengths = random_like(jax.random.key(0), net.shapes()), inputs(3, (3,), 6), jnp.array([3, 1, 0])
    is_padding = (jnp.arange(3)[:, None] >= lengths)[..., None]

    def loss(params, x):
        out, last = net.apply(params, x, lengths=lengths)
        return (out**2).sum(), (out, last)

    both = quick(jax.value_and_grad(loss, has_aux=True))
    found = [both(params, jnp.where(is_padding, fill, xs)) for fill in (0.0, 7.0, jnp.nan)]
    for other in found[1:]:
        assert_close(other, found[0])


@pytest.mark.parametrize(("time", "batch"), [(0, 2), (3, 0)])
def test_no_steps_and_no_sequences(time, batch):
    local = Block(cell=LocalAttention(heads=2, head_size=4, window=2), mlp=MLP(shift=True))
    for fields in ({"norm": True, "residual": True}, {"pattern": (local, Block(output_norm=RMSNorm(groups=2)))}):
        net = model(layers=2, **fields)
        out, last = jax.eval_shape(net.apply, net.shapes(), jnp.zeros((time, batch, 4)))
        assert out.shape == (time, batch, 3)
        assert {a.shape[0] for a in jax.tree.leaves(last)} == {batch}


@pytest.mark.parametrize("fields", [{}, {"bidirectional": True, "residual": True}, {"embedding_size": 5}], ids=str)
def test_many_plain_layers_of_which_the_first_reads_another_width(fields):
    net = model(layers=6, **fields)
    out = jax.eval_shape(lambda p: net.apply(p, jnp.zeros((2, 1, 4)))[0], net.shapes())
    assert out.shape == (2, 1, 3)


def test_a_loop_over_layers_loses_no_digits(x64):
    """Inputs are narrower than parameters, and so than what the first layer returns."""
    net = model(cell=cells.MinGRU(hidden_size=4), layers=5)
    params, x = random_like(jax.random.key(0), net.shapes()), inputs(2, (1,)).astype(jnp.float32)
    looped, one_by_one = (
        quick(lambda params, unroll=unroll: net.apply(params, x, unroll=unroll))(params)
        for unroll in (unrolls.Scan(), unrolls.Loop())
    )
    assert_close(looped, one_by_one, 1e-14)


def test_layers_that_repeat_may_give_something_to_later_ones():
    """The first one has got nothing yet, so that not all rounds of a loop are alike."""
    first = Block(cell=cells.RWKV7(hidden_size=4, value="first"))
    net = model(cell=cells.RWKV7(hidden_size=4, value="mixed"), layers=8, pattern=(first, Block()))
    out, last = jax.eval_shape(lambda params: net.apply(params, inputs()), net.shapes())
    assert out.shape == (7, 3, 3) and list(last) == [f"layer_{n}" for n in range(8)]


def test_a_wrapped_cell_gives_and_takes_what_it_does_alone():
    first, mixed = (
        wrappers.ProjectionConvolution(cell=cells.RWKV7(hidden_size=4, value=value)) for value in ("first", "mixed")
    )
    net = model(cell=mixed, layers=2, pattern=(Block(cell=first), Block()))
    assert net.shapes()["layer_0"]["out"]["w"].shape == (4, 4)
    assert jax.eval_shape(lambda params: net.apply(params, inputs())[0], net.shapes()).shape == (7, 3, 3)


def test_a_cell_that_takes_something_runs_by_itself():
    cell = cells.RWKV7(hidden_size=4, value="mixed")
    assert unrolls.ParallelBackward().refuses(cell) is None
    shapes = jax.eval_shape(lambda: cell.init(jax.random.key(0), 3 + cell.takes))
    params = jax.tree.map(lambda a: np.ones(a.shape, a.dtype), shapes)
    assert rnnzoo.make_stepper(cell, params).accepted["xs"].shape == (1, 7)
