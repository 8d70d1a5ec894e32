"""Cells of Flax, Keras and Haiku and ours compute the same from converted weights, in both directions."""

import importlib.util
import json
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, inputs, random_like

from rnnzoo import UsageError, cells, convert, run
from rnnzoo.models import Model, Stack

HIDDEN, FEATURES = 4, 3


def varied(cell: Any, features: int = FEATURES) -> Any:
    params = cell.init(jax.random.key(0), features)
    return jax.tree.map(jnp.add, params, random_like(jax.random.key(1), params, 0.3))


def same(found: Any, params: Any, missing: tuple[str, ...] = ()) -> None:
    assert (found.unused, found.missing) == ((), missing)
    assert_close(found.params, params, 1e-15)


# ---- Flax ------------------------------------------------------------------------------------------------

LINEN = [
    (cells.LSTM(hidden_size=HIDDEN), "LSTMCell", {}),
    (cells.LSTM(hidden_size=HIDDEN), "OptimizedLSTMCell", {}),
    (cells.GRU(hidden_size=HIDDEN), "GRUCell", {}),
    (cells.Elman(hidden_size=HIDDEN), "SimpleCell", {}),
    (cells.UGRNN(hidden_size=HIDDEN), "MGUCell", {"reset_gate": False}),
]


@pytest.mark.parametrize(("cell", "name", "fields"), LINEN, ids=lambda v: v if isinstance(v, str) else "")
def test_linen(x64, cell, name, fields):
    nn = pytest.importorskip("flax.linen")
    layer = nn.RNN(getattr(nn, name)(HIDDEN, param_dtype=jnp.float64, **fields), time_major=True)
    xs = inputs(6, (2,), FEATURES)
    variables = layer.init(jax.random.key(0), xs)
    variables = jax.tree.map(jnp.add, variables, random_like(jax.random.key(1), variables, 0.3))
    found = convert.from_flax(cell, variables)
    assert_close(run(cell, found.params, xs)[0], layer.apply(variables, xs))
    params = varied(cell)
    tree = convert.to_linen(cell, params)
    assert jax.tree.structure({"params": {"cell": tree}}) == jax.tree.structure(variables)
    assert_close(layer.apply({"params": {"cell": tree}}, xs), run(cell, params, xs)[0])
    same(convert.from_flax(cell, tree), params)


NNX = [("LSTM", "LSTMCell"), ("LSTM", "OptimizedLSTMCell"), ("GRU", "GRUCell"), ("Elman", "SimpleCell")]


@pytest.mark.parametrize(("name", "layout"), NNX)
def test_nnx(x64, name, layout):
    nnx = pytest.importorskip("flax.nnx")
    cell = getattr(cells, name)(hidden_size=HIDDEN)
    wide = {"dtype": jnp.float64, "param_dtype": jnp.float64, "rngs": nnx.Rngs(0)}
    layer = nnx.RNN(getattr(nnx, layout)(FEATURES, HIDDEN, **wide), time_major=True)
    xs = inputs(6, (2,), FEATURES)
    found = convert.from_flax(cell, nnx.state(layer, nnx.Param))
    assert found.unused == ()
    assert_close(run(cell, found.params, xs)[0], layer(xs))
    params = varied(cell)
    if "c" in params:
        with pytest.raises(UsageError, match="no bias inside the reset of gate n, and c is not 0"):
            convert.to_nnx(cell, params)
        params["c"] = jnp.zeros(HIDDEN)
    fields = {"layout": layout} if name == "LSTM" else {}
    tree = convert.to_nnx(cell, params, **fields)
    state = nnx.state(layer.cell, nnx.Param)
    nnx.replace_by_pure_dict(state, tree)
    nnx.update(layer.cell, state)
    assert_close(layer(xs), run(cell, params, xs)[0])
    same(convert.from_flax(cell, tree), params, ("c",) if "c" in params else ())


def test_one_of_several_flax_cells_is_chosen_by_its_path():
    cell = cells.GRU(hidden_size=HIDDEN)
    one = convert.to_linen(cell, varied(cell))
    tree = {"params": {"a": one, "b": one, "head": {"kernel": np.ones((4, 2))}}}
    with pytest.raises(UsageError, match=r"prefix= one of \['params/a', 'params/b'\]"):
        convert.from_flax(cell, tree)
    found = convert.from_flax(cell, tree, prefix="params/b")
    assert "params/head/kernel" in found.unused and "params/a/hn/bias" in found.unused
    with pytest.raises(UsageError, match="under the prefix 'c'"):
        convert.from_flax(cell, tree, prefix="c")
    del one["ir"]
    with pytest.raises(UsageError, match="lacks ir/kernel"):
        convert.from_flax(cell, one)


# ---- Haiku -----------------------------------------------------------------------------------------------

HAIKU = [
    (cells.LSTM(hidden_size=HIDDEN), "LSTM", "lstm"),
    (cells.GRUResetBefore(hidden_size=HIDDEN), "GRU", "gru"),
    (cells.Elman(hidden_size=HIDDEN, activation="relu"), "VanillaRNN", "vanilla_rnn"),
]


@pytest.mark.parametrize(("cell", "name", "prefix"), HAIKU, ids=lambda v: v if isinstance(v, str) else "")
def test_haiku(x64, cell, name, prefix):
    hk = pytest.importorskip("haiku")

    def unroll(xs):
        core = getattr(hk, name)(HIDDEN)
        return hk.dynamic_unroll(core, xs, core.initial_state(xs.shape[1]))[0]

    layer = hk.without_apply_rng(hk.transform(unroll))
    xs = inputs(6, (2,), FEATURES)
    source = layer.init(jax.random.key(0), xs)
    source = jax.tree.map(jnp.add, source, random_like(jax.random.key(1), source, 0.3))
    found = convert.from_haiku(cell, source)
    assert found.unused == ()
    assert_close(run(cell, found.params, xs)[0], layer.apply(source, xs))
    params = varied(cell)
    back = convert.to_haiku(cell, params, prefix=prefix)
    if name == "VanillaRNN":  # its second bias adds to the first
        source = {**back, "vanilla_rnn/linear_1": {**back["vanilla_rnn/linear_1"], "b": jnp.zeros(HIDDEN)}}
    assert_close(layer.apply(source if name == "VanillaRNN" else back, xs), run(cell, params, xs)[0])
    same(convert.from_haiku(cell, back), params)


def without_biases(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    return {k: without_biases(v) for k, v in tree.items() if k not in ("b", "bias")}


def zeroed(params: Any) -> Any:
    """The same parameters with biases at 0."""
    found = {**params, "b": jax.tree.map(jnp.zeros_like, params["b"])}
    return found | ({"c": jnp.zeros(HIDDEN)} if "c" in params else {})


@pytest.mark.parametrize("name", ["LSTM", "GRU", "Elman", "UGRNN"])
def test_biases_that_a_flax_cell_has_not_are_zero_and_named(x64, name):
    cell = getattr(cells, name)(hidden_size=HIDDEN)
    params = varied(cell)
    named = tuple(sorted([f"b.{g}" for g in params["b"]] + ["c"] * ("c" in params)))
    same(convert.from_flax(cell, without_biases(convert.to_linen(cell, params))), zeroed(params), named)
    tree = convert.to_linen(cell, params)
    if name == "GRU":
        del tree["hn"]["bias"], tree["iz"]["bias"]
        assert convert.from_flax(cell, tree).missing == ("b.z", "c")
    if name == "LSTM":
        fused = without_biases(convert.to_nnx(cell, params, layout="OptimizedLSTMCell"))
        same(convert.from_flax(cell, fused), zeroed(params), named)


def test_biases_that_a_haiku_module_has_not_are_named(x64):
    gru, lstm = cells.GRUResetBefore(hidden_size=HIDDEN), cells.LSTM(hidden_size=HIDDEN)
    params = varied(gru)
    tree = without_biases(convert.to_haiku(gru, params, prefix="gru"))
    same(convert.from_haiku(gru, tree), zeroed(params), ("b.n", "b.r", "b.z"))
    params = varied(lstm)
    found = convert.from_haiku(lstm, without_biases(convert.to_haiku(lstm, params, prefix="lstm")))
    expected = zeroed(params)
    expected["b"]["f"] += 1  # what Haiku's step adds by itself
    same(found, expected, ("b.f", "b.g", "b.i", "b.o"))


def test_a_bias_of_another_shape_is_not_broadcast():
    cell = cells.Elman(hidden_size=HIDDEN)
    tree = convert.to_linen(cell, varied(cell))
    tree["i"]["bias"] = np.ones(1)
    with pytest.raises(UsageError, match=r"\['b'\]\['h'\] of .* has shape \(1,\)"):
        convert.from_flax(cell, tree)


# ---- Keras -----------------------------------------------------------------------------------------------

KERAS = {
    f"{name}{list(fields.values())}{'' if bias else ' no bias'}": (kind(hidden_size=HIDDEN, bias=bias), name, fields)
    for kind, name, fields in (
        (cells.LSTM, "LSTM", {}),
        (cells.GRU, "GRU", {"reset_after": True}),
        (cells.GRUResetBefore, "GRU", {"reset_after": False}),
        (cells.Elman, "SimpleRNN", {}),
    )
    for bias in (True, False)
}

SCRIPT = """
import json, os, sys
os.environ["KERAS_BACKEND"] = "jax"
import keras, numpy as np
given, found = np.load("given.npz"), {}
for case, (name, fields) in json.load(open("cases.json")).items():
    layer = getattr(keras.layers, name)(4, return_sequences=True, dtype="float32", **fields)
    layer(given["xs"])
    layer.set_weights([w + 0.3 * np.random.RandomState(0).randn(*w.shape) for w in layer.get_weights()])
    own = layer.get_weights()
    found |= {f"{case}/{i}": w for i, w in enumerate(own)} | {f"{case}/out": layer(given["xs"])}
    layer.set_weights([given[f"{case}/{i}"] for i in range(len(own))])
    found[f"{case}/back"] = layer(given["xs"])
np.savez("found.npz", **found)
"""


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    """What Keras computes, in a separate process: its import chooses the backend, and takes long."""
    if importlib.util.find_spec("keras") is None:
        pytest.skip("Keras is not installed")
    folder = tmp_path_factory.mktemp("keras")
    arrays = {"xs": np.asarray(inputs(6, (2,), FEATURES).swapaxes(0, 1))}
    for case, (cell, _, _) in KERAS.items():
        arrays |= {f"{case}/{i}": w for i, w in enumerate(convert.to_keras(cell, varied(cell)))}
    np.savez(folder / "given.npz", **arrays)  # pyright: ignore
    layers = {case: (name, {**fields, "use_bias": cell.bias}) for case, (cell, name, fields) in KERAS.items()}
    (folder / "cases.json").write_text(json.dumps(layers))
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, cwd=folder)
    return np.load(folder / "found.npz")


@pytest.mark.parametrize("case", KERAS)
def test_keras(keras, case):
    cell, xs = KERAS[case][0], inputs(6, (2,), FEATURES)
    params = varied(cell)
    weights = convert.to_keras(cell, params)
    same(convert.from_keras(cell, weights), params)
    assert_close(run(cell, params, xs)[0].swapaxes(0, 1), keras[f"{case}/back"], 1e-6)
    found = convert.from_keras(cell, [keras[f"{case}/{i}"] for i in range(len(weights))])
    assert_close(run(cell, found.params, xs)[0].swapaxes(0, 1), keras[f"{case}/out"], 1e-6)


def test_keras_models_and_refusals():
    stack = Stack(layers=2, embedding_size=3, bidirectional=True)
    model = Model(cell=cells.GRU(hidden_size=HIDDEN), input_size=5, output_size=2, tokens=True, stack=stack)
    params = model.init(jax.random.key(0))
    layers = [params[f"layer_{n}"][d] for n in range(2) for d in ("cell", "backward")]
    inner = [w for layer in layers for w in convert.to_keras(model.cell, layer)]
    whole = [params["embed"]["w"], *inner, params["head"]["w"].T, params["head"]["b"]]
    same(convert.from_keras(model, whole), params)
    assert convert.from_keras(model, inner).missing == ("embed.w", "head.b", "head.w")
    with pytest.raises(UsageError, match="weights has 11 arrays for Model; accepted: 12 or 15"):
        convert.from_keras(model, inner[1:])
    with pytest.raises(UsageError, match="GRU with reset_after=True, GRUResetBefore with reset_after=False"):
        convert.from_keras(cells.GRUResetBefore(hidden_size=HIDDEN), inner[:3])


LSTM_STACK = Model(cell=cells.LSTM(hidden_size=HIDDEN), input_size=9, output_size=2, tokens=True,
                   stack=Stack(embedding_size=3))  # fmt: skip


def keras_arrays(vocabulary: int = 9, embedding: int = 3, inputs: int = 3, outputs: int = 2) -> list[np.ndarray]:
    shapes = [(vocabulary, embedding), (inputs, 16), (4, 16), (16,), (4, outputs), (outputs,)]
    return [np.ones(shape) for shape in shapes]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"vocabulary": 5}, r"embed.w has shape \(5, 3\) in the source; accepted: \(9, 3\)"),
        ({"outputs": 7}, r"head.[wb] has shape \(7.*; accepted: \(2"),
        ({"inputs": 6}, r"layer_0.cell.w.f has shape \(4, 6\) in the source; accepted: \(4, 3\)"),
    ],
)
def test_every_shape_of_a_keras_model_is_checked(sizes, message):
    assert convert.from_keras(LSTM_STACK, keras_arrays()).missing == ()
    with pytest.raises(UsageError, match=message):
        convert.from_keras(LSTM_STACK, keras_arrays(**sizes))


@pytest.mark.parametrize("stack", [Stack(residual=True), Stack(layers=2, residual=True), Stack(layers=2, norm=True)])
def test_stacks_that_keras_layers_do_not_compute_are_refused(stack):
    cell = cells.LSTM(hidden_size=HIDDEN)
    model = Model(cell=cell, input_size=HIDDEN, output_size=2, stack=stack)
    weights = convert.to_keras(cell, cell.init(jax.random.key(0), HIDDEN)) * stack.layers
    with pytest.raises(UsageError, match=r"Stack\.(norm|residual) is True; Keras's layers have no norm or residual"):
        convert.from_keras(model, weights)


@pytest.mark.parametrize(
    ("function", "cell", "message"),
    [
        (convert.from_flax, cells.MGU(hidden_size=2), "it applies f_t before U_n"),
        (convert.from_flax, cells.GRUResetBefore(hidden_size=2), "it resets before U_n"),
        (convert.from_haiku, cells.GRU(hidden_size=2), "it resets after U_n"),
        (convert.from_haiku, cells.Elman(hidden_size=2), "Haiku's VanillaRNN has 'relu'"),
        (convert.from_keras, cells.CfC(hidden_size=2), "Keras has no cell with the equations of CfC"),
    ],
)
def test_refusals_say_why(function, cell, message):
    with pytest.raises(UsageError, match=message):
        function(cell, {})


@pytest.mark.parametrize(
    ("layout", "message"),
    [("foo", "known: LSTMCell, OptimizedLSTMCell"), ("optimized_lstm", "did you mean OptimizedLSTMCell")],
)
def test_unknown_layouts_are_refused_with_the_nearest(layout, message):
    cell = cells.LSTM(hidden_size=HIDDEN)
    with pytest.raises(UsageError, match=f"layout is '{layout}'; {message}"):
        convert.to_nnx(cell, varied(cell), layout=layout)


@pytest.mark.parametrize(
    ("function", "cell", "message"),
    [
        (convert.from_flax, cells.LSTM(hidden_size=2), r"source is of type object; .*nnx.state\(module"),
        (convert.from_haiku, cells.LSTM(hidden_size=2), "source is of type object; .*init returns"),
        (convert.from_keras, cells.LSTM(hidden_size=2), r"weights is of type object; .*layer.get_weights\(\)"),
        (convert.from_mingru, cells.MinGRU(hidden_size=2), r"source is of type object; .*state_dict\(\)"),
        (convert.from_pararnn, cells.GRU(hidden_size=2), r"source is of type object; .*state_dict\(\)"),
    ],
)
def test_modules_in_place_of_weights_are_refused(function, cell, message):
    with pytest.raises(UsageError, match=message):
        function(cell, object())
