"""A model folder gives back what was saved; what is damaged, foreign or hostile is refused."""

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save
from support import random_like
from task_support import network
from zoo import published

import rnnzoo
from rnnzoo import UsageError, cells, structures, tasks
from rnnzoo.models import Model, Stack
from rnnzoo.store import safetensors
from rnnzoo.store.files import sealed
from rnnzoo.store.model_folder import WEIGHTS
from rnnzoo.training.config import Config, load_config

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
    (folder / "config.json").write_text(json.dumps(sealed(facts)))  # as whoever means harm would write it


def test_what_was_saved_comes_back(folder):
    found = rnnzoo.load_model(folder)
    assert found.model == MODEL and found.config is None and found.scores == {"accuracy": 0.5}
    assert jax.tree.all(jax.tree.map(np.array_equal, found.params, varied(MODEL)))
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", "config.json", WEIGHTS]


@pytest.mark.parametrize("name", published("structures"))
def test_every_structure_has_parameters_that_can_be_written(tmp_path, name):
    structure = published("structures")[name]
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
    model = network(config)
    rnnzoo.save_model(tmp_path / "m", model, varied(model), config=config, scores={"accuracy": 0.25})
    card = (tmp_path / "m" / "README.md").read_text()
    for part in ("Parity(", "accuracy on the test set: 0.2500", "train --config training.json", "jax ", "python "):
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
    with pytest.raises(UsageError, match="layer_0/backward/b/n is in only one"):
        rnnzoo.save_model(tmp_path / "a", MODEL, {k: v for k, v in params.items() if k != "layer_0"})
    with pytest.raises(UsageError, match="head/b of params has shape"):
        rnnzoo.save_model(tmp_path / "a", MODEL, {**params, "head": {**params["head"], "b": jnp.ones(3)}})
    for bad in (jnp.ones(2, int), np.ones(2, bool), np.ones(2, np.complex64)):
        with pytest.raises(UsageError, match=f"head/b of params is {bad.dtype}; accepted: float16"):
            rnnzoo.save_model(tmp_path / "a", MODEL, {**params, "head": {**params["head"], "b": bad}})
    for score in (float("nan"), "<b>", True, None, np.ones(2)):
        with pytest.raises(UsageError, match=r"save_model has scores 'a': .*; accepted: names with finite numbers"):
            rnnzoo.save_model(tmp_path / "a", MODEL, params, scores={"a": score})  # type: ignore[dict-item]
    assert list(tmp_path.iterdir()) == []


def test_narrow_parameters_and_scores_of_any_number_type_are_kept(tmp_path):
    params = jax.tree.map(lambda a: a.astype(jnp.bfloat16), varied(MODEL))
    scores: Any = {"a": np.float32(0.5), "b": jnp.float32(0.25), "c": 1}
    rnnzoo.save_model(tmp_path / "a", MODEL, params, scores=scores)
    found = rnnzoo.load_model(tmp_path / "a")
    assert found.scores == {"a": 0.5, "b": 0.25, "c": 1.0}
    assert jax.tree.all(jax.tree.map(lambda a, b: a.dtype == b.dtype and (a == b).all(), found.params, params))


def test_files_have_the_permissions_of_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        rnnzoo.save_model(tmp_path / "m", MODEL, varied(MODEL))
    finally:
        os.umask(before)
    assert {oct(p.stat().st_mode & 0o777) for p in (tmp_path / "m").iterdir()} == {"0o640"}
    assert (tmp_path / "m").stat().st_mode & 0o777 == 0o750


def test_folders_of_others_are_left_alone(tmp_path, monkeypatch):
    own = tmp_path / f".m.{os.getpid()}.tmp"
    own.mkdir()
    (own / "thesis.tex").write_text("mine")
    rnnzoo.save_model(tmp_path / "m", MODEL, varied(MODEL))
    assert (own / "thesis.tex").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for here in (".", tmp_path / "empty"):
        with pytest.raises(UsageError, match="is the current folder, which cannot be replaced; accepted: a new name"):
            rnnzoo.save_model(here, MODEL, varied(MODEL))


def damage(name: str) -> Any:
    def change(folder: Path) -> None:
        raw = (folder / name).read_bytes()
        (folder / name).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))

    return change


def nested(depth: int) -> Any:
    return {"type": "models.Stack", "layers": nested(depth - 1)} if depth else 1


def linked(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder.parent / "outside")
    (folder / WEIGHTS).symlink_to(folder.parent / "outside")


def forge(folder: Path, raw: bytes) -> None:
    """Other weights, with the checksum that fits them."""
    (folder / WEIGHTS).write_bytes(raw)
    edit(folder, lambda f: f["files"].update({WEIGHTS: {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}}))


def head_bias(array: Any) -> Any:
    def change(folder: Path) -> None:
        forge(folder, save({**safetensors.read(folder / WEIGHTS), "head/b": array}))

    return change


def float8(folder: Path) -> None:
    raw = save({**safetensors.read(folder / WEIGHTS), "head/b": np.ones(2, np.int8)})
    size = int.from_bytes(raw[:8], "little")
    header = raw[8 : 8 + size].strip().replace(b'"I8"', b'"F8_E4M3"')
    forge(folder, len(header).to_bytes(8, "little") + header + raw[8 + size :])


def other_score(folder: Path) -> None:
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace('"accuracy": 0.5', '"accuracy": 0.7'))


def terabyte(folder: Path) -> None:
    os.truncate(folder / WEIGHTS, 2**40)  # all zeros, and no room on the disk
    edit(folder, lambda facts: facts["files"][WEIGHTS].update(bytes=2**40))


HOSTILE = {
    "terabyte": (terabyte, "model.safetensors has 1,099,511,627,776 bytes; accepted: up to .* for this model"),
    "damaged config": (other_score, "config.json is not what was written .SHA-256.; accepted: as it was, or without"),
    "bit flip": (damage(WEIGHTS), "is not what config.json says"),
    "truncated": (lambda f: (f / WEIGHTS).write_bytes(b"x"), "config.json says"),
    "missing": (lambda f: (f / WEIGHTS).unlink(), "is missing"),
    "linked": (linked, "not a plain file in the folder"),
    "escape": (lambda f: edit(f, lambda c: c["files"].update({"../x": {}})), r"\['../x', 'model.safetensors'\]"),
    "absolute": (lambda f: edit(f, lambda c: c["files"].update({"/etc/passwd": {}})), "/etc/passwd"),
    "other file": (lambda f: edit(f, lambda c: c.update(files={"a.pkl": {}})), r"\['a.pkl'\]; accepted"),
    "files": (lambda f: edit(f, lambda c: c.update(files=["a"])), r'"files": \[\]; accepted'),
    "no hash": (lambda f: edit(f, lambda c: c["files"][WEIGHTS].pop("sha256")), "is not what config.json says"),
    "facts": (lambda f: edit(f, lambda c: c["files"].update({WEIGHTS: 3})), "config.json says None"),
    "format": (lambda f: edit(f, lambda c: c.update(format=2)), '"format" is 2; accepted: 1'),
    "no dict": (lambda f: (f / "config.json").write_text("[1]"), '"format" is'),
    "wide": (lambda f: edit(f, lambda c: c["model"]["cell"].update(hidden_size=10**9)), "too small for the model"),
    "tall": (lambda f: edit(f, lambda c: c["model"]["stack"].update(layers=1000)), "too small for the model"),
    "twice": (lambda f: (f / "config.json").write_text('{"a": 1, "a": 1}'), "the name 'a' is there twice"),
    "long number": (lambda f: (f / "config.json").write_text("9" * 5000), "is not JSON"),
    "no json": (lambda f: (f / "config.json").write_text("{"), "is not JSON"),
    "deep": (lambda f: (f / "config.json").write_text("[" * 10**5), "is not JSON"),
    "large": (lambda f: (f / "config.json").write_text(" " * (2**20 + 1)), "has more than 1,048,576 bytes"),
    "no model": (lambda f: edit(f, lambda c: c.pop("model")), "config.json is None; accepted: an object"),
    "no scores": (lambda f: edit(f, lambda c: c.update(scores=[1])), "scores .1.; accepted: names with finite numbers"),
    "nested": (
        lambda f: edit(f, lambda c: c.update(model=nested(700))),
        "nested too deeply; accepted: up to 100 levels",
    ),
    "no member": (lambda f: edit(f, lambda c: c["model"]["cell"].update(type="cells.os")), "no 'os' in cells"),
    "huge": (
        lambda f: edit(f, lambda c: c["model"]["cell"].update(hidden_size=10**12)),
        "accepted: an integer >= 1 and <= 2147",
    ),
    "endless": (
        lambda f: edit(f, lambda c: c["model"]["stack"].update(layers=10**12)),
        "Stack.layers is 1000000000000; accepted",
    ),
    "other model": (lambda f: edit(f, lambda c: c["model"].update(output_size=5)), "head/b of .* has shape"),
    "other weights": (lambda f: forge(f, save({"a": np.ones(3)})), "too small for the model"),
    "integers": (
        head_bias(np.ones(2, np.int32)),
        "head/b of .* is int32; accepted: float16, bfloat16, float32, float64",
    ),
    "bool": (head_bias(np.ones(2, np.bool_)), "head/b of .* is bool; accepted: float16"),
    "complex": (head_bias(np.ones(2, np.complex64)), "head/b of .* is complex64; accepted: float16"),
    "float8": (float8, "head/b of .* is F8_E4M3; accepted: "),
    "nan": (head_bias(np.full(2, np.nan, np.float32)), "not finite in head/b; accepted: finite ones"),
    "too large": (head_bias(np.full(2, 1e300)), "not finite in head/b"),
    "text score": (
        lambda f: edit(f, lambda c: c.update(scores={"acc": "<b>"})),
        "scores 'acc': '<b>'; accepted: names",
    ),
    "list score": (lambda f: edit(f, lambda c: c.update(scores={"acc": [1, [2]]})), "accepted: names with finite"),
    "bool score": (lambda f: edit(f, lambda c: c.update(scores={"acc": True})), "'acc': True; accepted: names"),
    "huge score": (lambda f: edit(f, lambda c: c.update(scores={"acc": 10**400})), "accepted: names with finite"),
    "no config": (lambda f: (f / "config.json").unlink(), "^[^:]*config.json is missing, or not a plain file"),
    "other seed": (lambda f: edit(f, lambda c: c["model"]["stack"].update(head_bias=False)), "head/b is in only one"),
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


def test_a_model_of_another_cell_is_the_same_specification(tmp_path):
    model = dataclasses.replace(MODEL, cell=cells.MinGRU(hidden_size=4), stack=Stack())
    rnnzoo.save_model(tmp_path / "m", model, varied(model))
    assert rnnzoo.load_model(tmp_path / "m").model == model


def test_a_folder_without_a_checksum_of_its_config_is_read(folder):
    facts = json.loads((folder / "config.json").read_text())
    assert facts.pop("sha256")
    (folder / "config.json").write_text(json.dumps(facts))  # as earlier versions wrote it
    assert rnnzoo.load_model(folder).model == MODEL
