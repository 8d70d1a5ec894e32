"""``rnnzoo compare``: a table of runs, what differs in them, and one picture."""

import dataclasses
import json
import shutil

import pytest

import rnnzoo
import rnnzoo.analysis.comparison
from rnnzoo import UsageError, cells, structures, tasks
from rnnzoo.__main__ import command
from rnnzoo.analysis.comparison import comparison_figure, differences, read_runs, table
from rnnzoo.config import Config

BANDED = Config(
    task=tasks.BinaryAddition(bits=4),
    cell=cells.GRU(hidden_size=4, structure=structures.Banded(bandwidth=1)),
    steps=4,
    log_every=1,
    eval_every=2,
    seeds=2,
    devices="one",
)
ELMAN = dataclasses.replace(BANDED, cell=cells.Elman(hidden_size=4), seeds=1, lr=1e-2)
PARITY = dataclasses.replace(BANDED, task=tasks.Parity(), seeds=1)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs that are there: two of one task, one of another, and one that has been stopped."""
    folder = tmp_path_factory.mktemp("runs")
    for name, config in {"banded": BANDED, "elman": ELMAN, "parity": PARITY}.items():
        rnnzoo.train(config, folder / name, progress=False)

    def stop(line):
        if line["step"] == 3:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        rnnzoo.train(BANDED, folder / "stopped", progress=False, callbacks=[stop])
    return folder


def compared(runs, names, capsys, *args):
    assert command(["compare", *(str(runs / name) for name in names), *args]) == 0
    return capsys.readouterr()


def test_a_table_says_what_came_out_and_what_differs(runs, capsys, monkeypatch):
    monkeypatch.chdir(runs)
    assert command(["compare", "banded", "elman"]) == 0
    said, warned = capsys.readouterr()
    assert not warned and "2 runs of BinaryAddition(bits=4), by wrong_sums (lower is better)" in said
    final = json.loads((runs / "banded/final.json").read_text())
    score = final["metrics"]["wrong_sums"]
    (line,) = [line for line in said.splitlines() if line.startswith("│ banded")]
    cells_ = [cell.strip() for cell in line.strip("│").split("│")]
    assert cells_[:4] == ["banded", "GRU(hidden_size=4)", "Banded", str(final["params"])]
    assert cells_[4] == f"{score['median']:.4g} [{score['min']:.4g}, {score['max']:.4g}]" and cells_[5] == "4"
    fields = said.partition("differences of configuration")[2]
    assert all(name in fields for name in ("cell ", "cell.structure", "lr", "seeds")) and "batch_size" not in fields


def test_fields_of_another_cell_are_told_where_they_are_not_at_their_defaults():
    def found(cell):
        first, second = (dataclasses.replace(BANDED, cell=c) for c in (cells.Elman(hidden_size=4), cell))
        runs = [
            rnnzoo.analysis.comparison.Run(name, config, [], {})
            for name, config in zip("ab", (first, second), strict=True)
        ]
        return {row["field"]: (row["a"], row["b"]) for row in differences(runs)}

    assert found(cells.LSTM(hidden_size=4)) == {"cell": ("Elman", "LSTM")}
    assert found(cells.LSTM(hidden_size=4, t_max=9.0))["cell.t_max"] == ("-", "9.0")
    assert found(cells.Elman(hidden_size=4)) == {}


def test_runs_of_different_tasks_and_unfinished_ones_are_warned_of(runs, capsys):
    said, warned = compared(runs, ["banded", "parity", "stopped"], capsys)
    assert "the runs are of different tasks, and a score of one says nothing about another: Bin" in warned
    assert f"not complete, and judged by validation scores: {runs / 'stopped'}" in warned
    rows = {row["run"]: row for row in table(read_runs([runs / "parity", runs / "stopped"], lambda text: None))}
    assert rows[str(runs / "parity")]["metric"] == "wrong_sequences"
    stopped = rows[str(runs / "stopped")]
    assert stopped["steps"] == "3 of 4" and stopped["score"].endswith("(validation)") and stopped["params"] == "-"
    assert "metric" in said
    longer = dataclasses.replace(BANDED, task=tasks.BinaryAddition(bits=5), steps=1)
    rnnzoo.train(longer, runs / "longer", progress=False)
    assert "the tasks differ in their fields" in compared(runs, ["banded", "longer"], capsys).err


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_curves_are_drawn_into_one_picture(runs, capsys, tmp_path, ending):
    out = tmp_path / f"curves.{ending}"
    said, _ = compared(runs, ["banded", "elman"], capsys, "--out", str(out))
    assert said.endswith(f"wrote {out}\n")
    assert out.read_bytes().startswith({"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[ending])
    if ending == "svg":
        assert "training loss" in out.read_text() and "validation wrong sums" in out.read_text()


def test_each_task_has_a_panel(runs):
    found = read_runs([runs / name for name in ("banded", "elman", "parity", "stopped")], lambda text: None)
    figure = comparison_figure(found)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "training loss",
        "validation wrong sums (lower is better)",
        "validation wrong sequences (lower is better)",
    ]
    assert [len(axes.get_lines()) > 0 for axes in figure.axes] == [True] * 3
    assert all(axes.get_xlim() == (0, 4) for axes in figure.axes)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [run.name for run in found]


def test_what_cannot_be_compared_is_refused(runs, tmp_path):
    with pytest.raises(UsageError, match="no run folder"):
        command(["compare", str(tmp_path / "nowhere")])
    with pytest.raises(UsageError, match="is given twice; accepted: each run once"):
        command(["compare", str(runs / "banded"), str(runs / "banded")])
    with pytest.raises(UsageError, match=r"accepted: a name that ends in \.png"):
        command(["compare", str(runs / "banded"), "--out", "curves.jpg"])
    with pytest.raises(UsageError, match="9 runs are too many for a picture; accepted: up to 8"):
        comparison_figure(read_runs([runs / "banded"], print) * 9)


def test_a_run_that_has_not_logged_yet_is_a_row_of_dashes(runs, tmp_path):
    shutil.copytree(runs / "banded", tmp_path / "new")
    for name in ("final.json", "metrics.jsonl"):
        (tmp_path / "new" / name).unlink()
    (row,) = table(read_runs([tmp_path / "new"], lambda text: None))
    assert (row["score"], row["steps"], row["seconds"]) == ("-", "0 of 4", "-")
    assert comparison_figure(read_runs([tmp_path / "new"], lambda text: None)).axes
