"""The pictures of all structures and of a trained run."""

import dataclasses

import pytest

import rnnzoo
from rnnzoo import cells, structures, tasks
from rnnzoo.__main__ import command
from rnnzoo.analysis import matrices, run_picture
from rnnzoo.training.config import Config
from rnnzoo.training.job import Job
from rnnzoo.training.progress import Progress

CONFIG = Config(task=tasks.BinaryAddition(bits=4), cell=cells.LSTM(hidden_size=8), steps=4, log_every=2, eval_every=4)


def test_show_structures_draws_all_and_says_which_sizes_do_not_fit(tmp_path, capsys, monkeypatch):
    labels = []
    monkeypatch.setattr(matrices, "save", lambda figure, path: labels.extend(_texts(figure)))
    assert command(["show", "structures", "--size", "7", "--out", str(tmp_path / "all.png")]) == 0
    assert f"{len(rnnzoo.members('structures'))} structures" in capsys.readouterr().out
    said = "\n".join(labels)
    assert all(name in labels for name in rnnzoo.members("structures"))
    assert "7 weights, self" in said and "H = 8: 7 does not fit" in said and "49 weights, cyclic" in said
    assert matrices.nearest_size(structures.Banded(bandwidth=40), 8) is None
    labels.clear()
    figure = matrices.new_figure(2, 2)
    matrices._panel(figure.subplots(), "Banded", structures.Banded(bandwidth=40), 8, 0)
    assert any("no hidden_size from 4\nto 16 fits Banded(bandwidth=40)" in text for text in _texts(figure))
    with pytest.raises(rnnzoo.UsageError, match="--size is 0"):
        command(["show", "structures", "--size", "0"])


def _texts(figure):
    found = [a for axes in figure.axes for a in (axes.get_title(), axes.get_xlabel())]
    return found + [text.get_text() for axes in figure.axes for text in axes.texts]


def test_show_run_draws_every_gate(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run_picture, "MAX_MATRICES", 3)
    cell = cells.LSTM(hidden_size=4, structure=structures.Diagonal())
    config = dataclasses.replace(CONFIG, cell=cell, seeds=2)
    Job(config, tmp_path / "run", Progress(config)).run()
    out = tmp_path / "run.png"
    assert command(["show", "run", str(tmp_path / "run"), "--out", str(out), "--seed", "1"]) == 0
    assert "3 of 4 recurrent matrices" in capsys.readouterr().out and out.read_bytes().startswith(b"\x89PNG")
    for args, message in [
        ([str(tmp_path / "run"), "--seed", "2"], "--seed is 2; accepted: 0 to 1"),
        ([str(tmp_path / "nowhere")], "no run folder"),
        ([str(tmp_path / "run"), "--out", str(tmp_path / "u.txt")], "accepted: a name that ends in .png"),
    ]:
        with pytest.raises(rnnzoo.UsageError, match=message):
            command(["show", "run", "--out", str(out), *args])
    linear = dataclasses.replace(CONFIG, cell=cells.MinGRU(hidden_size=4))
    job = Job(linear, tmp_path / "linear", Progress(linear))
    job.folder.open(linear, job.data)  # a run that has not begun yet
    job.folder.close()
    with pytest.raises(rnnzoo.UsageError, match="MinGRU, has no recurrent matrix U to draw"):
        command(["show", "run", str(tmp_path / "linear"), "--out", str(out)])
