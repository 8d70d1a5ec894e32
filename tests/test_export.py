"""Exported models compute what the model computes, without rnnzoo; what a format cannot carry is refused."""

import dataclasses
import importlib.util
import subprocess
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from support import assert_close, name, random_like
from zoo import all_cells, all_structures, is_exported, is_varied, marked, parameters

from rnnzoo import UsageError, cells, structures
from rnnzoo.base import Recurrent, Structures, spec
from rnnzoo.export import export
from rnnzoo.models import Model, Stack

HIDDEN, FEATURES = 4, 3
NOT_IN_ONNX = ("PDSSM",)  # writes to places that depend on values
CHARACTERS = Model(
    cell=cells.LSTM(hidden_size=HIDDEN),
    input_size=5,
    output_size=5,
    tokens=True,
    stack=Stack(layers=2, embedding_size=3, norm=True, residual=True),
)
VECTORS = Model(cell=cells.GRU(hidden_size=HIDDEN), input_size=FEATURES, output_size=2, read="last")
BOTH = dataclasses.replace(VECTORS, stack=Stack(bidirectional=True))


def varied(model: Model) -> Any:
    params = model.init(jax.random.key(0))
    return jax.tree.map(jnp.add, params, random_like(jax.random.key(1), params, 0.1))


def inputs(model: Model, time: int, batch: int) -> np.ndarray:
    random = np.random.default_rng(1)
    if model.tokens:
        return random.integers(0, model.input_size, (time, batch)).astype(np.int32)
    return random.normal(size=(time, batch, model.input_size)).astype(np.float32)


# ---- numpy -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [cells.GRU(hidden_size=32), cells.LRU(hidden_size=32)], ids=str)
def test_small_outputs_are_not_held_against_a_model(tmp_path, cell):
    """Of one output, some step is near 0, and rounding is large beside that step alone."""
    for seed in range(4):
        model = Model(cell=cell, input_size=2, output_size=1)
        _, error = export(model, model.init(jax.random.key(seed)), "numpy", tmp_path / str(seed))
        assert error < 2e-6


RUN_ALONE = """
import sys
import numpy as np
sys.modules["jax"] = sys.modules["rnnzoo"] = None
import model
xs = np.load("xs.npy")
ys = []
for x in xs.swapaxes(0, 1):
    state = model.start()
    for x_t in x:
        y, state = model.step(x_t, state)
        ys.append(y)
np.save("ys.npy", np.stack(ys).reshape(xs.shape[1], xs.shape[0], -1).swapaxes(0, 1))
"""


def test_numpy_alone_streams_a_model(tmp_path):
    params, xs = varied(CHARACTERS), inputs(CHARACTERS, 6, 2)
    file, error = export(CHARACTERS, params, "numpy", tmp_path / "out")
    assert error < 1e-5 and [p.name for p in (tmp_path / "out").iterdir() if p.is_file()] == [file.name]
    np.save(tmp_path / "out" / "xs.npy", xs)
    subprocess.run([sys.executable, "-c", RUN_ALONE], check=True, cwd=tmp_path / "out")
    assert_close(np.load(tmp_path / "out" / "ys.npy"), np.asarray(CHARACTERS.apply(params, jnp.asarray(xs))[0]), 1e-5)


@parameters("cell", all_cells(HIDDEN), is_varied)
def test_every_cell_as_numpy(tmp_path, cell):
    model = Model(cell=cell, input_size=FEATURES, output_size=2)
    assert export(model, varied(model), "numpy", tmp_path / "out")[1] < 1e-5


@pytest.mark.parametrize("structure", marked(all_structures(16), is_exported))
def test_every_structure_as_numpy(tmp_path, structure):
    model = Model(cell=cells.Elman(hidden_size=16, structure=structure), input_size=FEATURES, output_size=2)
    assert export(model, varied(model), "numpy", tmp_path / "out")[1] < 1e-5


@spec
class Errors(Recurrent):
    """Has the error functions of normal distributions in its step."""

    structure: Structures = structures.Diagonal()

    def step(self, params, state, z_t, recur):
        a = recur(state["h"])["h"]
        return {"h": lax.erf(a) + lax.erfc(a - 3 * state["h"])}


def test_error_functions_as_numpy(tmp_path):
    model = Model(cell=Errors(hidden_size=HIDDEN), input_size=FEATURES, output_size=2)
    assert export(model, varied(model), "numpy", tmp_path / "out")[1] < 1e-6


def test_an_exported_step_checks_its_input(tmp_path):
    file, _ = export(VECTORS, varied(VECTORS), "numpy", tmp_path / "out")
    module = load(file)
    with pytest.raises(ValueError, match=r"x has shape \(2,\); accepted: \(3,\)"):
        module.step(np.ones(2), module.start())


def load(file: Any) -> Any:
    spec = importlib.util.spec_from_file_location("exported", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- StableHLO -------------------------------------------------------------------------------------------

LAST_STEP = dataclasses.replace(BOTH, read="last_step")
MODELS = [CHARACTERS, VECTORS, BOTH, LAST_STEP]


@pytest.mark.parametrize("model", MODELS, ids=["characters", "last", "both", "last step"])
def test_stablehlo_in_any_batch_and_length(tmp_path, model):
    pytest.importorskip("flatbuffers")
    params = varied(model)
    file, error = export(model, params, "stablehlo", tmp_path / "out")
    found = jax.export.deserialize(bytearray(file.read_bytes()))
    assert error < 1e-5 and found.platforms == ("cpu", "cuda", "tpu")
    for time, batch in ((1, 1), (5, 4)):
        x = inputs(model, time, batch)
        assert_close(found.call(x), model.apply(params, x)[0], 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("cell", all_cells(HIDDEN), ids=name)
def test_every_cell_as_stablehlo(tmp_path, cell):
    pytest.importorskip("flatbuffers")
    model = Model(cell=cell, input_size=FEATURES, output_size=2)
    assert export(model, varied(model), "stablehlo", tmp_path / "out")[1] < 1e-5


# ---- ONNX ------------------------------------------------------------------------------------------------


def exported_to_onnx(model: Model, folder: Any, **options: Any) -> tuple[Any, Any]:
    """A session of onnxruntime, and the kinds of operators in the file, those in loops left out."""
    onnx: Any = pytest.importorskip("onnx")
    onnxruntime: Any = pytest.importorskip("onnxruntime")
    file, error = export(model, varied(model), "onnx", folder, **options)
    assert error < 1e-5 or options
    return onnxruntime.InferenceSession(str(file)), {node.op_type for node in onnx.load(str(file)).graph.node}


@pytest.mark.parametrize("model", MODELS, ids=["characters", "last", "both", "last step"])
def test_onnx_in_any_batch_and_length(tmp_path, model):
    session, operators = exported_to_onnx(model, tmp_path / "out")
    assert operators & {"LSTM", "GRU"} and "Scan" not in operators
    for time, batch in ((1, 1), (5, 4)):
        x = inputs(model, time, batch)
        assert_close(session.run(["y"], {"x": x})[0], np.asarray(model.apply(varied(model), x)[0]), 1e-5)


@pytest.mark.parametrize(
    ("cell", "operator"),
    [
        (cells.GRUResetBefore(hidden_size=HIDDEN), "GRU"),
        (cells.Elman(hidden_size=HIDDEN), "RNN"),
        (cells.Elman(hidden_size=HIDDEN, activation="identity"), "Scan"),
        (cells.GRU(hidden_size=HIDDEN, bias=False, structure=structures.Cayley()), "GRU"),  # is a full matrix in use
        (cells.LSTM(hidden_size=HIDDEN, structure=structures.Diagonal()), "Scan"),  # a full matrix would be larger
        (cells.GRU(hidden_size=HIDDEN, structure=structures.Banded(bandwidth=1)), "Scan"),
        (cells.LRU(hidden_size=HIDDEN), "Scan"),  # complex
    ],
    ids=lambda value: value if isinstance(value, str) else name(value),
)
def test_operators_of_onnx_where_it_has_them(tmp_path, cell, operator):
    _, operators = exported_to_onnx(Model(cell=cell, input_size=FEATURES, output_size=2), tmp_path / "out")
    assert operators & {"LSTM", "GRU", "RNN", "Scan"} == {operator}


@pytest.mark.slow
@pytest.mark.parametrize("cell", all_cells(HIDDEN), ids=name)
def test_every_cell_as_onnx(tmp_path, cell):
    model = Model(cell=cell, input_size=FEATURES, output_size=2)
    if type(cell).__name__ in NOT_IN_ONNX:
        pytest.importorskip("onnx")
        with pytest.raises(UsageError, match=r"ONNX cannot carry this model: .*; accepted: another cell or structure"):
            export(model, varied(model), "onnx", tmp_path / "out")
        assert not (tmp_path / "out").exists()
    else:
        exported_to_onnx(model, tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("structure", all_structures(16), ids=str)
def test_every_structure_as_onnx(tmp_path, structure):
    model = Model(cell=cells.Elman(hidden_size=16, structure=structure), input_size=FEATURES, output_size=2)
    exported_to_onnx(model, tmp_path / "out")


# ---- refusals --------------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot be made: Not a directory; accepted: a new folder where you may write"):
        export(VECTORS, varied(VECTORS), "numpy", tmp_path / "file" / "out")


def test_a_bidirectional_model_does_not_stream(tmp_path):
    with pytest.raises(UsageError, match="a bidirectional model reads whole sequences"):
        export(BOTH, varied(BOTH), "numpy", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_a_format_cannot_carry_is_refused(tmp_path):
    low = dataclasses.replace(VECTORS, cell=cells.GRU(hidden_size=4, dtype="bfloat16"))
    with pytest.raises(UsageError, match=r"numpy cannot carry GRU.dtype = 'bfloat16'; accepted: None or 'float32'"):
        export(low, varied(low), "numpy", tmp_path / "out")
    with pytest.raises(UsageError, match="no format 'onx'; did you mean onnx"):
        export(VECTORS, {}, "onx", tmp_path / "out")
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match="is not overwritten"):
        export(VECTORS, {}, "numpy", tmp_path / "out")


@pytest.mark.parametrize(("format", "package", "extra"), [("onnx", "onnx", "onnx"), ("stablehlo", "", "export")])
def test_a_missing_package_is_named(tmp_path, monkeypatch, format, package, extra):
    if package:
        monkeypatch.setitem(sys.modules, package, None)
    else:
        monkeypatch.setattr(jax.export.Exported, "serialize", lambda self: __import__("no_flatbuffers"))
    with pytest.raises(UsageError, match=rf"is not installed; accepted: pip install 'rnnzoo\[{extra}\]'"):
        export(VECTORS, varied(VECTORS), format, tmp_path / "out")


def test_an_operation_without_a_rule_is_named(tmp_path, monkeypatch):
    from rnnzoo.export import primitives

    monkeypatch.delitem(primitives.RULES, "tanh")
    with pytest.raises(UsageError, match="no rule for the operation 'tanh'; accepted: another cell"):
        export(VECTORS, varied(VECTORS), "numpy", tmp_path / "out")


def test_a_file_that_differs_is_not_kept(tmp_path, monkeypatch):
    from rnnzoo.export import primitives

    monkeypatch.setitem(primitives.RULES, "tanh", lambda eqn, args, constants: f"1.001 * np.tanh({args[0]})")
    with pytest.raises(
        UsageError, match=r"model.py differs from the model by .* and is not kept; accepted: up to 1e-05"
    ):
        export(VECTORS, varied(VECTORS), "numpy", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_structures_are_exported_as_they_are(tmp_path):
    """A diagonal U stays a vector: no (H, H) array is in the file."""
    small, large = (
        export(model, varied(model), "numpy", tmp_path / type(s).__name__)[0].stat().st_size
        for s in (structures.Diagonal(), structures.Dense())
        for model in [Model(cell=cells.Elman(hidden_size=64, structure=s), input_size=1, output_size=1)]
    )
    assert small < large / 4
