"""The pictures of all structures and of a trained run."""

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

import rnnzoo
from rnnzoo import cells, structures, tasks
from rnnzoo.__main__ import command
from rnnzoo.analysis import matrices, run_picture
from rnnzoo.drawing import new_figure
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
    assert "7 weights\nself" in said and "H = 8: 7 does not fit" in said and "49 weights\ncyclic" in said
    assert matrices.nearest_size(structures.Banded(bandwidth=40), 8) is None
    labels.clear()
    figure = new_figure(2, 2)
    matrices._panel(figure.subplots(), "Banded", structures.Banded(bandwidth=40), 8, 0)
    assert any("no hidden_size from 4\nto 16 fits Banded(bandwidth=40)" in text for text in _texts(figure))
    with pytest.raises(rnnzoo.UsageError, match="--size is 0"):
        command(["show", "structures", "--size", "0"])


def _texts(figure):
    found = [a for axes in figure.axes for a in (axes.get_title(loc="left"), axes.get_xlabel())]
    return found + [text.get_text() for axes in figure.axes for text in axes.texts]


def test_few_diagonals_of_a_large_matrix_are_drawn_by_themselves():
    band = matrices.random_member(structures.Banded(bandwidth=1), 32, 0)
    assert matrices.is_thin(band) and not matrices.is_thin(band[:16, :16])
    assert not matrices.is_thin(matrices.random_member(structures.Dense(), 32, 0))
    axes = new_figure(3, 3).subplots()
    matrices.draw_diagonals(axes, band)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["-1", "0", "+1"]
    (image,) = axes.get_images()
    pixels = image.get_array()
    assert pixels.shape == (3, 32, 4) and pixels[0, 0, 3] == 0 == pixels[2, -1, 3] and (pixels[1, :, 3] > 0).all()
    strongest = np.unravel_index(np.abs(band).argmax(), band.shape)
    assert pixels[strongest[1] - strongest[0] + 1, strongest[0], 3] == 1
    negative = pixels[1, :, 2] > pixels[1, :, 0]  # blue
    assert np.array_equal(negative, np.diagonal(band) < 0)


def test_axes_and_gates_are_named(tmp_path):
    config = dataclasses.replace(CONFIG, cell=cells.LSTM(hidden_size=4))
    Job(config, tmp_path / "run", Progress(config)).run()
    figure, drawn, there = run_picture.run_figure(tmp_path / "run", print)
    said = _texts(figure)
    assert (drawn, there) == (4, 4) and "layer 0, gate f (forget)" in said and "real part" in said
    assert {axes.get_ylabel() for axes in figure.axes} == {"to unit", "imaginary part", ""}


def test_every_name_of_a_gate_is_that_of_a_gate():
    ours = {n: c for n, c in rnnzoo.members("cells").items() if c.__module__.startswith("rnnzoo.")}
    for name, cls in ours.items():
        cell: Any = cls(hidden_size=4)  # pyright: ignore[reportCallIssue]
        assert not cell.gate_names or cell.gate_names.keys() == set(cell.gates), name


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


def test_a_figure_shows_itself_in_a_notebook_and_can_be_sent():
    figure = new_figure(2, 1)
    for one in (figure, pickle.loads(pickle.dumps(figure))):
        assert "<svg" in one._repr_svg_()
