"""What people do with Flax modules works with the faces: training, tables, checkpoints, sharding, both NNX modes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
import pytest
from flax import linen as nn
from flax import nnx
from support import assert_close

import rnnzoo.linen
import rnnzoo.nnx
from rnnzoo import cells, structures

CELL = cells.GRU(hidden_size=4, structure=structures.Diagonal())
XS = jax.random.normal(jax.random.key(0), (2, 3, 5))


class Model(nnx.Module):
    """A layer and a head."""

    def __init__(self, rngs, **options):
        self.rnn = rnnzoo.nnx.RNN(CELL, 5, rngs=rngs, **options)
        self.head = nnx.Linear(4, 2, rngs=rngs)

    def __call__(self, xs):
        return self.head(self.rnn(xs))


class LinenModel(nn.Module):
    """The same in Linen."""

    @nn.compact
    def __call__(self, xs):
        return nn.Dense(2)(rnnzoo.linen.RNN(CELL, name="rnn")(xs))


def objective(model):
    return (model(XS) ** 2).mean()


@pytest.fixture(params=["graph", "tree"])
def mode(request):
    """NNX as it is by default, and as announced: without shared references."""
    before = nnx.set_graph_mode.current_value()
    nnx.set_graph_mode(request.param == "graph")
    yield request.param
    nnx.set_graph_mode(before)


def test_split_merge_and_grad(mode):
    model = Model(nnx.Rngs(0))
    graph, state = nnx.split(model)
    assert not jax.tree.leaves(nnx.state(model.rnn, nnx.RngState))
    merged = nnx.merge(graph, state)
    assert_close(merged(XS), model(XS), 0)
    assert merged.rnn.params.keys() == model.rnn.params.keys()
    grads = nnx.jit(nnx.grad(objective))(model)
    by_hand = jax.jit(jax.grad(lambda s: objective(nnx.merge(graph, s))))(state)
    assert_close(jax.tree.leaves(grads), jax.tree.leaves(by_hand), 1e-6)


def test_the_graph_is_a_static_argument(mode):
    """Equal specifications make equal graphs, which hash: nothing is compiled twice."""
    one, two = (nnx.split(Model(nnx.Rngs(seed)))[0] for seed in (0, 1))
    assert one == two and hash(one) == hash(two)


def test_optimizer_trains(mode):
    model = Model(nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)

    @nnx.jit
    def train(model, optimizer):
        value, grads = nnx.value_and_grad(objective)(model)
        optimizer.update(model, grads)
        return value

    values = []
    for _ in range(3):
        values.append(float(train(model, optimizer)))
    assert values[0] > values[1] > values[2]


def test_plain_jit_and_vmap_over_models():
    assert_close(jax.jit(lambda m, x: m(x))(Model(nnx.Rngs(0)), XS), Model(nnx.Rngs(0))(XS), 1e-6)

    @nnx.vmap
    def make(key):
        return Model(nnx.Rngs(key))

    models = make(jax.random.split(jax.random.key(0), 2))
    assert nnx.vmap(lambda m, x: m(x), in_axes=(0, None))(models, XS).shape == (2, 2, 3, 2)


def test_tables():
    variables = LinenModel().init(jax.random.key(0), XS)
    count = sum(a.size for a in jax.tree.leaves(variables))
    linen = LinenModel().tabulate(jax.random.key(0), XS, console_kwargs={"width": 200})
    assert "rnn" in linen and f"{count:,}" in linen
    table = nnx.tabulate(Model(nnx.Rngs(0)), XS, console_kwargs={"width": 200})
    assert "rnn" in table and f"{count:,}" in table


@pytest.mark.parametrize("face", ["linen", "nnx"])
def test_orbax_saves_and_restores(tmp_path, face):
    if face == "linen":
        tree = LinenModel().init(jax.random.key(0), XS)
    else:
        tree = nnx.to_pure_dict(nnx.state(Model(nnx.Rngs(0))))
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "model", tree)
        checkpointer.wait_until_finished()
        found = checkpointer.restore(tmp_path / "model", jax.tree.map(jnp.zeros_like, tree))
    assert_close(found, tree, 0)
    if face == "linen":
        assert_close(LinenModel().apply(found, XS), LinenModel().apply(tree, XS), 0)
    else:
        other = Model(nnx.Rngs(1))
        nnx.update(other, found)
        assert_close(other(XS), Model(nnx.Rngs(0))(XS), 0)


def test_orbax_saves_nnx_state(tmp_path):
    graph, state = nnx.split(Model(nnx.Rngs(0)))
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "state", state)
        checkpointer.wait_until_finished()
        found = checkpointer.restore(tmp_path / "state", nnx.eval_shape(lambda: nnx.state(Model(nnx.Rngs(1)))))
    assert_close(nnx.merge(graph, found)(XS), Model(nnx.Rngs(0))(XS), 0)


# ---- sharding --------------------------------------------------------------------------------------------


def axes(name, shape):
    """Input weights by units, biases by nothing said, U by its first axis."""
    return {"w": ("model", None), "u": ("model",)}.get(name[0])


def test_linen_sharding_metadata():
    for module in (rnnzoo.linen.RNN(CELL, partition=axes), nn.RNN(rnnzoo.linen.RNNCell(CELL, partition=axes))):
        variables = module.init(jax.random.key(0), XS)
        specs = nn.get_partition_spec(variables)["params"]
        specs = specs.get("cell", specs)
        assert specs["w"]["r"] == jax.P("model", None) and specs["u"]["r"] == jax.P("model")
        assert specs["b"]["r"] == jax.P()
        assert_close(module.apply(variables, XS), module.apply(nn.unbox(variables), XS), 0)


def test_nnx_sharding_metadata():
    mesh = jax.make_mesh((1,), ("model",), axis_types=(jax.sharding.AxisType.Auto,))
    with jax.set_mesh(mesh):
        model = Model(nnx.Rngs(0), partition=axes)
    specs: Any = nnx.get_partition_spec(nnx.state(model))
    assert specs["rnn"]["params"]["w"]["r"].get_value() == jax.P("model", None)
    assert "model" in str(model.rnn.params["u"]["r"][...].sharding)
    with jax.set_mesh(mesh):
        assert model(XS).shape == (2, 3, 2)


def test_parameters_travel_between_faces():
    variables: Any = LinenModel().init(jax.random.key(0), XS)
    model = Model(nnx.Rngs(1))
    nnx.update(model.rnn, {"params": variables["params"]["rnn"]})
    nnx.update(model.head, variables["params"]["Dense_0"])
    assert_close(model(XS), LinenModel().apply(variables, XS), 1e-6)
    functions, _ = rnnzoo.run(CELL, variables["params"]["rnn"], XS.swapaxes(0, 1))
    assert_close(np.asarray(model.rnn(XS)), np.asarray(functions.swapaxes(0, 1)), 1e-6)


def test_frozen_variables():
    from flax.core import freeze

    variables = LinenModel().init(jax.random.key(0), XS)
    assert_close(LinenModel().apply(freeze(variables), XS), LinenModel().apply(variables, XS), 0)
    cell = nn.RNN(rnnzoo.linen.RNNCell(CELL))
    variables = cell.init(jax.random.key(0), XS)
    assert_close(cell.apply(freeze(variables), XS), cell.apply(variables, XS), 0)


def test_import_rnnzoo_does_not_import_flax():
    import subprocess
    import sys

    code = "import sys, rnnzoo; sys.exit('flax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
