"""A model folder gives back what was saved; what is damaged, foreign or hostile is refused."""

import dataclasses
import json
import sys
import types
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close, random_like

import rnnzoo
from rnnzoo import UsageError, cells, structures, tasks, tensors
from rnnzoo.config import Config, load_config
from rnnzoo.hub import pull_model, push_model
from rnnzoo.model_folder import WEIGHTS
from rnnzoo.models import Model, Stack

MODEL = Model(
    cell=cells.GRU(hidden_size=4, structure=structures.Diagonal()),
    input_size=3,
    output_size=2,
    stack=Stack(layers=2, norm=True, bidirectional=True),
)


def varied(model: Model) -> Any:
    params = model.init(jax.random.key(0))
    return jax.tree.map(jnp.add, params, random_like(jax.random.key(1), params, 0.3))


@pytest.fixture
def folder(tmp_path) -> Path:
    rnnzoo.save_model(tmp_path / "model", MODEL, varied(MODEL), scores={"accuracy": 0.5})
    return tmp_path / "model"


def edit(folder: Path, change: Any) -> None:
    facts = json.loads((folder / "config.json").read_text())
    change(facts)
    (folder / "config.json").write_text(json.dumps(facts))


def test_what_was_saved_comes_back(folder):
    found = rnnzoo.load_model(folder)
    assert found.model == MODEL and found.config is None and found.scores == {"accuracy": 0.5}
    assert jax.tree.all(jax.tree.map(np.array_equal, found.params, varied(MODEL)))
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", "config.json", WEIGHTS]


@pytest.mark.parametrize("name", sorted(rnnzoo.members("structures")))
def test_every_structure_has_parameters_that_can_be_written(tmp_path, name):
    structure: Any = rnnzoo.members("structures")[name]
    try:
        cell = cells.Elman(hidden_size=16, structure=structure())
    except UsageError:
        pytest.skip("does not fit 16 units")
    model = Model(cell=cell, input_size=3, output_size=2)
    like = jax.eval_shape(lambda: model.init(jax.random.key(0)))
    params = jax.tree.map(lambda a: np.ones(a.shape, a.dtype), like)
    rnnzoo.save_model(tmp_path / "model", model, params)
    found = rnnzoo.load_model(tmp_path / "model")
    assert found.model == model and jax.tree.structure(found.params) == jax.tree.structure(params)


def test_the_card_and_the_command_that_trains_it_again(tmp_path):
    config = Config(task=tasks.Parity(), cell=cells.LSTM(hidden_size=4), steps=7, log_every=1)
    model = config.network()
    rnnzoo.save_model(tmp_path / "m", model, varied(model), config=config, scores={"accuracy": 0.25})
    card = (tmp_path / "m" / "README.md").read_text()
    for part in ("Parity(", "accuracy on the held-out set: 0.2500", "train --config training.json", "jax ", "python "):
        assert part in card
    assert load_config(str(tmp_path / "m" / "training.json")) == config
    assert rnnzoo.load_model(tmp_path / "m").config == config


def test_nothing_is_overwritten(folder):
    before = (folder / WEIGHTS).read_bytes()
    with pytest.raises(UsageError, match="is not overwritten"):
        rnnzoo.save_model(folder, MODEL, varied(MODEL))
    link = folder.parent / "link"
    link.symlink_to(folder.parent / "elsewhere")
    with pytest.raises(UsageError, match="is not overwritten"):
        rnnzoo.save_model(link, MODEL, varied(MODEL))
    assert (folder / WEIGHTS).read_bytes() == before
    assert [p.name for p in folder.parent.iterdir() if "tmp" in p.name] == []


def test_parameters_that_do_not_fit_or_are_not_finite_are_not_saved(tmp_path):
    params = varied(MODEL)
    with pytest.raises(UsageError, match="not finite in head/b"):
        rnnzoo.save_model(tmp_path / "a", MODEL, {**params, "head": {**params["head"], "b": jnp.full(2, jnp.nan)}})
    with pytest.raises(UsageError, match="layer_0/backward/b/n is only in one"):
        rnnzoo.save_model(tmp_path / "a", MODEL, {k: v for k, v in params.items() if k != "layer_0"})
    with pytest.raises(UsageError, match="head/b of params has shape"):
        rnnzoo.save_model(tmp_path / "a", MODEL, {**params, "head": {**params["head"], "b": jnp.ones(3)}})
    assert list(tmp_path.iterdir()) == []


def damage(name: str) -> Any:
    def change(folder: Path) -> None:
        raw = (folder / name).read_bytes()
        (folder / name).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))

    return change


# Python 3.12 and later follow this depth, and find a Stack where a number belongs.
TOO_DEEP = "not a specification in JSON" if sys.version_info < (3, 12) else "Stack.layers is Stack"


def nested(depth: int) -> Any:
    return {"type": "models.Stack", "layers": nested(depth - 1)} if depth else 1


def linked(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder.parent / "outside")
    (folder / WEIGHTS).symlink_to(folder.parent / "outside")


def other_weights(folder: Path) -> None:
    import hashlib

    tensors.write(folder / WEIGHTS, {"a": np.ones(3)})
    raw = (folder / WEIGHTS).read_bytes()
    edit(folder, lambda f: f["files"].update({WEIGHTS: {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}}))


HOSTILE = {
    "bit flip": (damage(WEIGHTS), "is not what config.json says"),
    "truncated": (lambda f: (f / WEIGHTS).write_bytes(b"x"), "config.json says"),
    "missing": (lambda f: (f / WEIGHTS).unlink(), "is missing"),
    "linked": (linked, "no plain file of the folder"),
    "escape": (lambda f: edit(f, lambda c: c["files"].update({"../x": {}})), r"\['../x', 'model.safetensors'\]"),
    "absolute": (lambda f: edit(f, lambda c: c["files"].update({"/etc/passwd": {}})), "/etc/passwd"),
    "other file": (lambda f: edit(f, lambda c: c.update(files={"a.pkl": {}})), r"\['a.pkl'\]; accepted"),
    "files": (lambda f: edit(f, lambda c: c.update(files=["a"])), r'"files": \[\]; accepted'),
    "no hash": (lambda f: edit(f, lambda c: c["files"][WEIGHTS].pop("sha256")), "is not what config.json says"),
    "facts": (lambda f: edit(f, lambda c: c["files"].update({WEIGHTS: 3})), "config.json says None"),
    "format": (lambda f: edit(f, lambda c: c.update(format=2)), '"format" is 2; accepted: 1'),
    "no dict": (lambda f: (f / "config.json").write_text("[1]"), '"format" is'),
    "no json": (lambda f: (f / "config.json").write_text("{"), "is no JSON"),
    "deep": (lambda f: (f / "config.json").write_text("[" * 10**5), "is no JSON"),
    "large": (lambda f: (f / "config.json").write_text(" " * (2**20 + 1)), "accepted: up to 1048576"),
    "no model": (lambda f: edit(f, lambda c: c.pop("model")), "not a specification in JSON"),
    "no scores": (lambda f: edit(f, lambda c: c.update(scores=[1])), "describes no Model"),
    "nested": (lambda f: edit(f, lambda c: c.update(model=nested(700))), TOO_DEEP),
    "no member": (lambda f: edit(f, lambda c: c["model"]["cell"].update(type="cells.os")), "no 'os' in cells"),
    "huge": (lambda f: edit(f, lambda c: c["model"]["cell"].update(hidden_size=10**12)), "too small for the model"),
    "endless": (lambda f: edit(f, lambda c: c["model"]["stack"].update(layers=10**12)), "too small for the model"),
    "other model": (lambda f: edit(f, lambda c: c["model"].update(output_size=5)), "head/b of .* has shape"),
    "other weights": (other_weights, "too small for the model"),
    "other seed": (lambda f: edit(f, lambda c: c["model"]["stack"].update(head_bias=False)), "head/b is only in one"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_and_damaged_folders_are_refused(folder, name):
    change, message = HOSTILE[name]
    change(folder)
    with pytest.raises(UsageError, match=message):
        rnnzoo.load_model(folder)


def test_no_folder():
    with pytest.raises(UsageError, match="no model folder 'nowhere'"):
        rnnzoo.load_model("nowhere")


# ---- the hub ---------------------------------------------------------------------------------------------


def test_push_and_pull_through_a_local_folder(folder, tmp_path, monkeypatch):
    import shutil

    class Api:
        def create_repo(self, repo_id: str, **fields: Any) -> None:
            assert fields == {"private": True, "exist_ok": True}

        def upload_folder(self, *, repo_id: str, folder_path: str, allow_patterns: Any) -> str:
            shutil.copytree(folder_path, tmp_path / "hub" / repo_id)
            return "address"

    def snapshot_download(repo_id: str, *, revision: Any, allow_patterns: Any, local_dir: str) -> str:
        shutil.copytree(tmp_path / "hub" / repo_id, local_dir)
        return local_dir

    fake: Any = types.ModuleType("huggingface_hub")
    fake.HfApi, fake.snapshot_download = Api, snapshot_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    assert push_model(folder, "me/gru") == "address"
    found = pull_model("me/gru", tmp_path / "here")
    assert_close(found.params, varied(MODEL))
    with pytest.raises(UsageError, match="is not overwritten"):
        pull_model("me/gru", tmp_path / "here")
    damage(WEIGHTS)(tmp_path / "hub" / "me/gru")
    with pytest.raises(UsageError, match="SHA-256"):
        pull_model("me/gru", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_without_the_extra_the_hub_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UsageError, match=r"pip install 'rnnzoo\[hub\]'"):
        push_model(folder, "me/gru")


def test_a_model_of_another_cell_is_the_same_specification(tmp_path):
    model = dataclasses.replace(MODEL, cell=cells.MinGRU(hidden_size=4), stack=Stack())
    rnnzoo.save_model(tmp_path / "m", model, varied(model))
    assert rnnzoo.load_model(tmp_path / "m").model == model
