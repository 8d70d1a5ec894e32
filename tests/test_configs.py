"""Configurations by name: found in the current folder, in a checkout and in an installed wheel, and listed."""

import shutil
import tomllib
from pathlib import Path

import pytest

import rnnzoo
from rnnzoo.__main__ import command
from rnnzoo.config import load_config
from rnnzoo.study.plan import load_study
from rnnzoo.training import named

ROOT = Path(__file__).parents[1]
TINY = (
    '"""Adds two short numbers."""\nfrom rnnzoo import cells, tasks\nfrom rnnzoo.config import Config\n'
    "config = Config(task=tasks.BinaryAddition(bits=2), cell=cells.LSTM(hidden_size=3), steps=1, log_every=1, "
    "eval_every=1, batch_size=2)\n"
)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_names_are_found_from_everywhere(elsewhere):
    file = load_config(str(ROOT / "configs" / "binary_addition.py"))
    assert load_config("binary_addition") == load_config("binary-addition") == file
    assert load_study("addition") is load_study(str(ROOT / "configs" / "studies" / "addition.py"))
    assert set(named.named_files()) == {p.stem for p in (ROOT / "configs").glob("*.py")}


def test_the_current_folders_come_first_and_a_path_before_names(elsewhere):
    (elsewhere / "configs").mkdir()
    (elsewhere / "configs" / "parity.py").write_text(TINY)
    assert type(load_config("parity").task).__name__ == "BinaryAddition"
    assert type(load_config(str(ROOT / "configs" / "parity.py")).task).__name__ == "Parity"
    with pytest.raises(rnnzoo.UsageError, match=r"no config file 'binary_adition'; did you mean binary_addition"):
        load_config("binary_adition")
    with pytest.raises(rnnzoo.UsageError, match="no config file 'nowhere/parity'"):
        load_config("nowhere/parity")


def test_a_wheel_has_them_where_they_are_looked_for(elsewhere, monkeypatch):
    """The mapping is hatch's; what it makes is as in this copy."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build["force-include"] == {"configs": "rnnzoo/configs"}
    package = elsewhere / "site-packages" / "rnnzoo"
    shutil.copytree(ROOT / "configs", package / "configs")
    monkeypatch.setattr(named, "PACKAGE", package)
    assert named.file_of("parity") == package / "configs" / "parity.py"
    assert named.file_of("addition", "studies") == package / "configs" / "studies" / "addition.py"
    shutil.move(package / "configs", package.parent / "configs")  # somebody else's, beside an installed package
    assert named.shipped() is None and named.named_files() == {}


def test_the_list_says_task_cell_and_what(elsewhere, capsys):
    (elsewhere / "configs").mkdir()
    (elsewhere / "configs" / "mine.py").write_text('"""My own."""\nraise SystemExit("this file is not to be run")\n')
    assert command(["list", "configs"]) == 0
    said = capsys.readouterr().out
    assert set(named.named_files()) <= set(said.split()) and "My own." in said
    assert command(["list", "configs", "binary_addition", "--markdown"]) == 0
    row = capsys.readouterr().out.splitlines()[2]
    assert row.startswith("| binary_addition | BinaryAddition | LSTM 16, Diagonal | Add two 8-bit numbers, bit by bit,")


@pytest.mark.parametrize("spelling", [["tiny"], ["--config", "tiny"], ["configs/tiny.py"], ["--seed", "1", "tiny"]])
def test_every_spelling_of_a_configuration(spelling, elsewhere, monkeypatch):
    from rnnzoo.commands import train

    (elsewhere / "configs").mkdir()
    (elsewhere / "configs" / "tiny.py").write_text(TINY)
    seen = []
    monkeypatch.setattr(
        train.api, "train", lambda config, workdir, progress, log: seen.append((config, workdir)) or 1 / 0
    )
    if spelling[-1] == "tiny" and len(spelling) == 3:
        with pytest.raises(rnnzoo.UsageError, match=r"put the configuration first: rnnzoo train tiny \.\.\."):
            command(["train", *spelling])
        return
    with pytest.raises(ZeroDivisionError):
        command(["train", *spelling, "--lr", "0.5"])
    ((config, workdir),) = seen
    assert config.lr == 0.5 and config.task.bits == 2 and workdir.parent == Path("runs")
    assert workdir.name.startswith("tiny-")


def test_no_configuration_is_answered_with_the_names(elsewhere):
    for what in ("train", "sweep"):
        with pytest.raises(rnnzoo.UsageError, match=rf"accepted: rnnzoo {what} NAME, of adding, binary_addition"):
            command([what])
