"""Exported folders: 8-bit weights and what they lose; scores and text from the exported file itself."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close
from task_support import TEXT, network, opened, text_file  # noqa: F401

from rnnzoo import UsageError, cells, save_model, structures, tasks
from rnnzoo.__main__ import command
from rnnzoo.commands.exits import guarded
from rnnzoo.export import export
from rnnzoo.export.exported import outputs_of_batches
from rnnzoo.export.int8 import restored, rounded
from rnnzoo.models import Model, Stack
from rnnzoo.store.model_folder import load_model
from rnnzoo.store.trained import evaluate_model
from rnnzoo.training.config import Config

# ---- 8 bits ----------------------------------------------------------------------------------------------


def test_each_row_has_its_own_scale():
    sizes = np.array([1, 10, 100, 1, 0, 1], np.float32)[:, None]
    rows = sizes * np.random.default_rng(0).normal(size=(6, 40)).astype(np.float32)
    found = rounded(rows)
    assert found is not None and found.axis == 0 and found.scale.shape == (6,) and found.values.dtype == np.int8
    assert (abs(restored(found) - rows) <= abs(rows).max(1, keepdims=True) / 254 * 1.001).all()
    turned = rounded(rows.T)
    assert turned is not None and turned.axis == 1
    assert_close(restored(turned), restored(found).T, 0)


@pytest.mark.parametrize("array", [np.ones(100, np.float32), np.ones((50, 2), np.int32), np.ones((2, 3), np.float32)])
def test_vectors_and_small_arrays_stay(array):
    assert rounded(array) is None


CELLS = [cells.GRU(hidden_size=48), cells.LSTM(hidden_size=64, structure=structures.Banded(bandwidth=12))]


@pytest.mark.parametrize("format", ["numpy", "onnx"])
@pytest.mark.parametrize("cell", CELLS, ids=["dense", "banded"])
def test_8_bits_are_smaller_and_nearly_the_same(tmp_path, cell, format):
    if format == "onnx":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    model = Model(cell=cell, input_size=3, output_size=2)
    params = model.init(jax.random.key(0))
    (full, exact), (small, error) = (
        export(model, params, format, tmp_path / str(int8), int8=int8) for int8 in (False, True)
    )
    assert exact < 1e-5 < error < 0.03
    assert small.stat().st_size < full.stat().st_size * (0.4 if cell is CELLS[0] else 0.8)


def test_only_some_formats_have_8_bits(tmp_path):
    with pytest.raises(UsageError, match="stablehlo has no 8-bit weights; accepted for them: numpy or onnx"):
        export(Model(cell=CELLS[0], input_size=3, output_size=2), {}, "stablehlo", tmp_path / "out", int8=True)


# ---- scores and text -------------------------------------------------------------------------------------


def saved(folder: Path, config: Config) -> Path:
    model = network(config)
    params = jax.tree.map(lambda a: 3 * a, model.init(jax.random.key(3)))
    save_model(folder / "model", model, params, config=config)
    return folder / "model"


def printed(capsys: Any, *words: Any) -> str:
    capsys.readouterr()
    assert command([str(word) for word in words]) == 0
    return capsys.readouterr().out


FORMATS = [("numpy", "numpy", ["--trust"]), ("onnx", "onnxruntime", [])]


@pytest.mark.parametrize(("format", "package", "trust"), FORMATS, ids=["numpy", "onnx"])
def test_an_exported_model_of_text_is_scored_and_sampled(tmp_path, capsys, text_file, format, package, trust):  # noqa: F811
    pytest.importorskip(package)
    task = tasks.CharLM(path=text_file(TEXT), length=8)
    model = saved(tmp_path, Config(task=task, cell=cells.GRU(hidden_size=8), model=Stack(embedding_size=4)))
    out = tmp_path / "out"
    printed(capsys, "export", model, "--format", format, "--out", out)
    words = ("--prompt", "line ", "--length", 12, "--seed", 4)
    assert printed(capsys, "sample", out, *words, *trust) == printed(capsys, "sample", model, *words)
    found = json.loads(printed(capsys, "evaluate", out, "--json", *trust))
    assert_close(found, evaluate_model(load_model(model)), 1e-5)


@pytest.mark.parametrize("format", ["numpy", "onnx"])
def test_8_bits_say_what_they_lose(tmp_path, capsys, format):
    pytest.importorskip("numpy" if format == "numpy" else "onnxruntime")
    model = saved(tmp_path, Config(task=tasks.Digits(), cell=cells.GRU(hidden_size=16)))
    said = printed(capsys, "export", model, "--format", format, "--out", tmp_path / "out", "--int8")
    score = evaluate_model(load_model(model))[tasks.Digits.metric]
    assert f"in float32 {score:.4f}" in said and f"{tasks.Digits.metric} on " in said


def test_without_the_data_there_is_no_score_but_a_file(tmp_path, capsys, text_file):  # noqa: F811
    text = text_file(TEXT)
    model = saved(tmp_path, Config(task=tasks.CharLM(path=text, length=8), cell=cells.GRU(hidden_size=8)))
    Path(text).unlink()
    said = printed(capsys, "export", model, "--format", "numpy", "--out", tmp_path / "out", "--int8")
    assert "model.py" in said and "no score: " in said and (tmp_path / "out" / "model.py").exists()


def test_sequences_of_different_lengths(tmp_path):
    """Each is read as far as it goes."""
    model = Model(cell=cells.GRU(hidden_size=4), input_size=3, output_size=2, read="last")
    params, x = model.init(jax.random.key(0)), np.random.default_rng(0).normal(size=(5, 4, 3)).astype(np.float32)
    lengths = jnp.array([5, 2, 2, 1])
    file, _ = export(model, params, "numpy", tmp_path / "out")
    outputs = outputs_of_batches(file, model.read, trust=True)
    assert_close(outputs({"x": x, "lengths": lengths}), model.apply(params, jnp.asarray(x), lengths=lengths)[0], 1e-5)
    with pytest.raises(UsageError, match="a sequence of 0 steps cannot be read"):
        outputs({"x": x, "lengths": jnp.zeros(4, int)})


def test_refusals_of_exported_folders(tmp_path, capsys):
    model = Model(cell=cells.GRU(hidden_size=4), input_size=3, output_size=2)
    export(model, model.init(jax.random.key(0)), "numpy", tmp_path / "out")
    for words, message in (
        (["evaluate"], "does not say what its model was trained on; accepted: the run or model folder"),
        (["sample"], "has no characters to draw"),
        (["evaluate", "--task.bits", "3"], "--task.bits 3 is not for an exported folder"),
    ):
        assert guarded(command)([words[0], str(tmp_path / "out"), *words[1:]]) == 2
        assert message in capsys.readouterr().err
    with pytest.raises(UsageError, match="is code, which is not run unasked; accepted: --trust, or"):
        outputs_of_batches(tmp_path / "out" / "model.py", "each")


def test_the_text_of_an_exported_model_needs_trust(tmp_path, capsys, text_file):  # noqa: F811
    task = tasks.CharLM(path=text_file(TEXT), length=8)
    model = saved(tmp_path, Config(task=task, cell=cells.GRU(hidden_size=8)))
    assert opened(task).symbols == load_model(model).symbols
    printed(capsys, "export", model, "--format", "numpy", "--out", tmp_path / "out")
    assert guarded(command)(["sample", str(tmp_path / "out"), "--prompt", "line "]) == 2
    assert "accepted: --trust" in capsys.readouterr().err
