"""What the first edition wrote stays readable: specifications, parameters, runs and models in `tests/fixtures`.

The files are never written anew. A change that this test does not let pass breaks what users have on their disks.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import rnnzoo
from rnnzoo.__main__ import command

FOLDER = Path(__file__).parent / "fixtures" / "first_edition"
MEMBERS = json.loads((FOLDER / "members.json").read_text())
PARAMS = json.loads((FOLDER / "params.json").read_text())
STORED = [(f"{kind}.{name}", data) for kind in MEMBERS if kind != "changed" for name, data in MEMBERS[kind].items()]
STORED += [(f"changed.{i}.{data['type']}", data) for i, data in enumerate(MEMBERS["changed"])]


@pytest.fixture
def edition(tmp_path, monkeypatch) -> Path:
    """A copy of the stored folder, and the current one, since the path of the text is relative to it."""
    shutil.copytree(FOLDER, tmp_path / "edition")
    monkeypatch.chdir(tmp_path / "edition")
    return tmp_path / "edition"


def metrics(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "final.json").read_text())["metrics"]


def assert_scores(found: dict[str, Any], stored: dict[str, Any]) -> None:
    """The same up to rounding, which is not the same on every machine."""
    assert found.keys() >= stored.keys()
    for name, value in stored.items():
        for key, number in value.items() if isinstance(value, dict) else [("", value)]:
            now = found[name][key] if key else found[name]
            assert now == pytest.approx(number, rel=1e-4, abs=1e-6), (name, key)


def differences(stored: Any, now: Any, where: str = "") -> list[str]:
    """The places where something stored is gone or another. Fields that came later may be there."""
    if isinstance(stored, dict) and isinstance(now, dict):
        gone = [f"{where}.{key} is gone" for key in stored.keys() - now.keys()]
        both = stored.keys() & now.keys()
        return gone + [line for key in both for line in differences(stored[key], now[key], f"{where}.{key}")]
    if isinstance(stored, list) and isinstance(now, list) and len(stored) == len(now):
        pairs = enumerate(zip(stored, now, strict=True))
        return [line for i, (a, b) in pairs for line in differences(a, b, f"{where}[{i}]")]
    return [] if stored == now and type(stored) is type(now) else [f"{where} was {stored!r} and is {now!r}"]


# ---- specifications --------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [data for _, data in STORED], ids=[name for name, _ in STORED])
def test_specifications(data):
    member = rnnzoo.from_json(json.dumps(data))
    text = rnnzoo.to_json(member)
    assert rnnzoo.from_json(text) == member
    assert differences(data, json.loads(text)) == []


def test_names_and_shapes_of_parameters():
    assert len(PARAMS) > 60
    for text, stored in PARAMS.items():
        cell = rnnzoo.from_json(text)
        tree = jax.eval_shape(lambda cell=cell: cell.init(jax.random.key(0), input_size=3))
        leaves = jax.tree_util.tree_leaves_with_path(tree)
        found = {jax.tree_util.keystr(p, simple=True, separator="."): list(leaf.shape) for p, leaf in leaves}
        assert found == stored, text


# ---- runs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", ["run", "char_run"])
def test_a_run_is_evaluated(edition, run, capsys):
    assert command(["evaluate", run, "--json"]) == 0
    assert_scores(json.loads(capsys.readouterr().out), metrics(FOLDER / run))


def test_the_best_checkpoint_is_evaluated(edition, capsys):
    lines = (FOLDER / "run" / "metrics.jsonl").read_text().splitlines()
    (step,) = [int(path.name) for path in (FOLDER / "run/checkpoints/best").iterdir() if path.is_dir()]
    (scores,) = [r["scores"] for r in map(json.loads, lines) if r["step"] == step]
    assert command(["evaluate", "run", "--checkpoint", "best", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["wrong_sums"]["per_seed"] == pytest.approx(scores["wrong_sums"], rel=1e-4)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_run_is_saved(edition, seed):
    assert command(["save", "run", "--seed", str(seed), "--out", "saved"]) == 0
    trained = rnnzoo.load_model("saved")
    assert trained.config == rnnzoo.from_json((FOLDER / "run" / "config.json").read_text())
    stored = {name: value["per_seed"][seed] for name, value in metrics(FOLDER / "run").items()}
    assert trained.scores == pytest.approx(stored)


def test_a_saved_character_run_is_the_model_that_was_saved_then(edition):
    assert command(["save", "char_run", "--out", "saved"]) == 0
    now, then = (rnnzoo.load_model(name) for name in ("saved", "char_model"))
    assert (now.model, now.symbols, now.config) == (then.model, then.symbols, then.config)
    assert jax.tree.structure(now.params) == jax.tree.structure(then.params)
    for a, b in zip(jax.tree.leaves(now.params), jax.tree.leaves(then.params), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_finished_run_is_opened_again(edition, capsys):
    assert command(["train", "--config", "run/config.json", "--workdir", "run"]) == 0
    assert "going on from step 6" in capsys.readouterr().out
    assert_scores(metrics(edition / "run"), metrics(FOLDER / "run"))


def test_a_run_goes_on_from_the_middle_to_the_same_end(edition, capsys):
    shutil.rmtree("run/checkpoints/last/6")
    Path("run/checkpoints/last/6.sha256").unlink()
    assert command(["train", "--config", "run/config.json", "--workdir", "run"]) == 0
    assert "going on from step 3" in capsys.readouterr().out
    assert_scores(metrics(edition / "run"), metrics(FOLDER / "run"))


def test_another_run_starts_from_its_parameters(edition, capsys):
    given = ["--init-from", "run", "--lr", "1e-3", "--steps", "1"]
    assert command(["train", "--config", "run/config.json", "--workdir", "other", *given]) == 0
    said = capsys.readouterr().out
    assert command(["evaluate", "run", "--part", "validation", "--json"]) == 0
    then = json.loads(capsys.readouterr().out)["wrong_sums"]["median"]
    assert f"starting from run: validation wrong_sums {then:.4f}" in said


def test_a_character_run_and_its_model_write_text(edition, capsys):
    for folder in ("char_run", "char_model"):
        assert command(["sample", folder, "--prompt", "the ", "--length", "5"]) == 0
        assert capsys.readouterr().out.startswith("the ")


# ---- models ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model", "char_model"])
def test_a_model_gives_the_outputs_of_then(name):
    trained = rnnzoo.load_model(FOLDER / name)
    inputs, outputs = (np.load(FOLDER / f"{name}_{what}.npy") for what in ("inputs", "outputs"))
    np.testing.assert_allclose(trained.model.apply(trained.params, inputs)[0], outputs, rtol=1e-6, atol=1e-6)


def test_a_model_keeps_its_scores_and_characters():
    assert rnnzoo.load_model(FOLDER / "model").scores == {"wrong": 0.25}
    symbols = json.loads((FOLDER / "char_run" / "symbols.json").read_text())
    assert rnnzoo.load_model(FOLDER / "char_model").symbols == symbols
