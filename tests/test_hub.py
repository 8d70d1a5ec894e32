"""Model folders go to the hub and come back, and what the hub says against it is a short error."""

import shutil
import sys
import types
from pathlib import Path
from typing import Any

import jax
import pytest
from support import assert_close

import rnnzoo
from rnnzoo import UsageError, cells
from rnnzoo.__main__ import command
from rnnzoo.commands.exits import guarded
from rnnzoo.models import Model
from rnnzoo.store.hub import pull_model, push_model
from rnnzoo.store.model_folder import WEIGHTS

MODEL = Model(cell=cells.GRU(hidden_size=4), input_size=3, output_size=2)


@pytest.fixture
def folder(tmp_path) -> Path:
    rnnzoo.save_model(tmp_path / "model", MODEL, MODEL.init(jax.random.key(0)))
    return tmp_path / "model"


def test_push_and_pull_through_a_local_folder(folder, tmp_path, monkeypatch):
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
    assert_close(found.params, MODEL.init(jax.random.key(0)))
    with pytest.raises(UsageError, match="is not overwritten"):
        pull_model("me/gru", tmp_path / "here")
    weights = tmp_path / "hub" / "me/gru" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(UsageError, match="SHA-256"):
        pull_model("me/gru", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_without_the_extra_the_hub_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UsageError, match=r"pip install 'rnnzoo\[hub\]'"):
        push_model(folder, "me/gru")


class Unreachable(Exception):
    """Like httpx.ConnectError, which is no OSError."""


@pytest.mark.parametrize("error", [Unreachable("no route\nto the hub"), ValueError("Repo id"), OSError("no network")])
def test_what_the_hub_refuses_is_a_short_error(folder, tmp_path, monkeypatch, capsys, error):
    def fails(*args: Any, **fields: Any) -> None:
        Path(fields.get("local_dir", tmp_path / "x")).mkdir()
        raise error

    fake: Any = types.ModuleType("huggingface_hub")
    fake.HfApi, fake.snapshot_download = lambda: types.SimpleNamespace(create_repo=fails), fails
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    for args in (["push", str(folder), "me/x"], ["pull", "me/x", "--out", str(tmp_path / "new")]):
        assert guarded(command)(args) == 2
        said = capsys.readouterr().err
        first = str(error).splitlines()[0]
        assert said == f"error: the hub refuses 'me/x', or cannot be reached: {type(error).__name__}: {first}\n"
    assert not (tmp_path / "new").exists()
