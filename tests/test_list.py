"""``rnnzoo list --json``: the tables as programs read them."""

import json

import pytest

import rnnzoo
from rnnzoo import cells, tasks
from rnnzoo.__main__ import command
from rnnzoo.analysis import members
from rnnzoo.commands.list import KINDS, OTHER
from rnnzoo.config import Config


def said(args, capsys, size=8):
    assert command(["list", *args, "--json", "--size", str(size)]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "runs"])
def test_every_kind(kind, capsys):
    rows = said([kind], capsys)
    expected = OTHER[kind]() if kind in OTHER else members.rows(kind, size=8)
    assert [row["name"] for row in rows] == [row["name"] for row in expected]
    for row, shown in zip(rows, expected, strict=True):
        assert row["what"]
        for value, text in zip(row.values(), shown.values(), strict=True):
            shown_as = int(text.replace(",", "")) if isinstance(value, int) else text
            assert value == (None if text == "-" else shown_as)


def test_numbers_are_numbers(capsys):
    (lstm,) = said(["cells", "lstm"], capsys)
    assert (lstm["params"], lstm["in_U"], lstm["state"], lstm["year"]) == (544, 256, 16, 2000)
    (pairs,) = said(["structures", "complexpairs"], capsys, size=9)
    assert pairs["params"] is None and pairs["what"]


def test_all_kinds_at_once(capsys):
    found = said([], capsys)
    assert tuple(found) == KINDS and all(rows for kind, rows in found.items() if kind != "runs")


def test_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(rnnzoo.UsageError, match="no name in runs matches"):
        command(["list", "runs"])
    task = tasks.Adding(length=5)
    config = Config(task=task, cell=cells.GRU(hidden_size=2), steps=4, log_every=2, eval_every=2, seeds=2)
    result = rnnzoo.train(config, "runs/mine", progress=False)
    for name in ("begun", "damaged"):
        (tmp_path / "runs" / name).mkdir()
    (tmp_path / "runs" / "begun" / "run.json").write_bytes((tmp_path / "runs" / "mine" / "run.json").read_bytes())
    (tmp_path / "runs" / "damaged" / "run.json").write_text("{")
    (tmp_path / "runs" / "notes.txt").write_text("no run")
    begun, damaged, mine = said(["runs"], capsys)
    score = pytest.approx(result.scores[task.metric], rel=1e-3)
    assert mine == {
        "name": "runs/mine", "task": "Adding", "cell": "GRU 2, Dense", "step": 4, "steps": 4, "score": score,
        "what": f"{task.metric} of the test part",
    }  # fmt: skip
    assert (begun["step"], begun["score"]) == (0, None) and begun["what"].endswith("has not ended")
    assert damaged["task"] is None and "run.json" in damaged["what"]
    assert command(["list", "runs", "MINE"]) == 0 and "of the test part" in capsys.readouterr().out


def test_one_form_at_a_time():
    with pytest.raises(rnnzoo.UsageError, match="accepted: one of them"):
        command(["list", "cells", "--json", "--markdown"])
