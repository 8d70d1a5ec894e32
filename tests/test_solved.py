"""Runs that end when their task is solved, and scores at several lengths while training."""

import json
import math
import signal
from pathlib import Path
from typing import Any

import jax
import pytest
from faults.runs import CONFIG, changed, contents, differences, train
from task_support import network

from rnnzoo import UsageError, cells, tasks
from rnnzoo.training.config import Config
from rnnzoo.training.job import Job, Stopped
from rnnzoo.training.progress import Progress
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.solved import all_solved, first_solved
from rnnzoo.training.update import evaluate, first_state
from rnnzoo.training.verify import verify

STOPS = changed(stop_when_solved=True)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


def final(path: Path) -> dict[str, Any]:
    return json.loads((path / "final.json").read_text())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of all 12 steps, whose scores fall until step 9."""
    path = tmp_path_factory.mktemp("whole") / "run"
    train(path)
    return path


@pytest.fixture
def solved_at_6(whole, monkeypatch):
    """The task's threshold lies between the scores of steps 3 and 6."""
    third, sixth = (line["validation"]["wrong_sums"][0] for line in lines(whole) if line["step"] in (3, 6))
    assert sixth < third
    monkeypatch.setattr(tasks.BinaryAddition, "solved_at", (third + sixth) / 2)


@pytest.fixture
def stopped(solved_at_6, tmp_path):
    train(tmp_path / "stopped", STOPS)
    return tmp_path / "stopped"


def test_a_run_ends_when_it_is_solved(stopped):
    assert lines(stopped)[-1]["step"] == 6 and "scores" in lines(stopped)[-1]
    result = final(stopped)
    assert result["steps"] == 6 and result["solved_step"] == [6]
    assert result["solved_seconds"] == [lines(stopped)[-1]["seconds"]]
    assert RunFolder(stopped).last.steps() == [6, 3] and not [f for f in verify(stopped) if f.wrong]
    before = contents(stopped)
    said = train(stopped, STOPS)
    assert "going on from step 6" in said and "solved at step 6, by the validation score of every seed" in said
    assert differences(before, contents(stopped)) == []


def test_without_the_flag_the_step_is_said(solved_at_6, tmp_path):
    train(tmp_path / "run")
    assert final(tmp_path / "run")["solved_step"] == [6] and final(tmp_path / "run")["steps"] == 12


def test_a_task_that_is_not_solved_has_no_step(whole):
    assert final(whole)["solved_step"] == final(whole)["solved_seconds"] == [None]


def test_a_solved_run_goes_on_without_the_flag(stopped, whole):
    train(stopped)
    assert final(stopped)["steps"] == 12
    arrays = [(path / "checkpoints/last/12/arrays.npz").read_bytes() for path in (stopped, whole)]
    assert arrays[0] == arrays[1]


@pytest.mark.parametrize("at", ["last", "best", "log", "final.json"])
def test_a_run_killed_as_it_is_solved_ends_the_same(stopped, tmp_path, monkeypatch, at):
    job = Job(STOPS, tmp_path / "run", Progress(STOPS))

    def dies_at_6(method: Any) -> Any:
        def dying(*args: Any) -> Any:
            if job.record.step == 6:
                raise SystemExit
            return method(*args)

        return dying

    owner, name = {
        "last": (job.folder.last, "save"),
        "best": (job.folder.best, "save"),
        "log": (job.folder, "log"),
        "final.json": (job.folder, "write"),
    }[at]
    monkeypatch.setattr(owner, name, dies_at_6(getattr(owner, name)))
    with pytest.raises(SystemExit):
        job.run()
    train(tmp_path / "run", STOPS)
    assert differences(contents(stopped), contents(tmp_path / "run")) == []


def test_a_stop_before_it_is_solved_changes_nothing(stopped, tmp_path):
    job = Job(STOPS, tmp_path / "run", Progress(STOPS))
    job.progress.step = lambda record, scores: record["step"] == 4 and signal.raise_signal(signal.SIGTERM)
    with pytest.raises(Stopped, match="stopped at step 4"):
        job.run()
    train(tmp_path / "run", STOPS)
    assert differences(contents(stopped), contents(tmp_path / "run")) == []


def test_every_seed_has_to_pass():
    task = CONFIG.task
    scores = [[0.5, 0.005, math.nan], [0.001, 0.5, 0.5], [0.002, 0.003, math.nan]]
    found: list[Any] = [{"step": k, "seconds": k / 2, "validation": {task.metric: s}} for k, s in enumerate(scores)]
    found.insert(1, {"step": 9, "seconds": 9.0})
    assert first_solved(task, found, 3) == {"solved_step": [1, 0, None], "solved_seconds": [0.5, 0.0, None]}
    assert not any(all_solved(task, line.get("validation", {})) for line in found)
    assert all_solved(task, {task.metric: scores[2][:2]})


def test_a_task_without_a_threshold_refuses_the_flag():
    with pytest.raises(UsageError, match=r"CharLM has no score at which it is solved; accepted: .*stop_when_solved"):
        Config(task=tasks.CharLM(), cell=cells.Elman(hidden_size=2), stop_when_solved=True)


# ---- lengths ---------------------------------------------------------------------------------------------

LONGER = Config(
    task=tasks.Parity(length=3, test_length=3),  # shares programs with 1x
    cell=cells.Elman(hidden_size=3),
    eval_lengths=(1, 2),
    steps=4,
    log_every=2,
    eval_every=2,
    batch_size=2,
)


def test_scores_at_several_lengths(tmp_path, capsys):
    Job(LONGER, tmp_path, Progress(LONGER)).run()
    names = {"wrong_sequences", "bit_error", "wrong_sequences@1x", "wrong_sequences@2x"}
    assert [line["validation"].keys() for line in lines(tmp_path)] == [names] * 2
    assert final(tmp_path)["metrics"].keys() == final(tmp_path)["best"]["metrics"].keys() == names
    like = jax.eval_shape(lambda: first_state(LONGER, network(LONGER)))
    restored = RunFolder(tmp_path).last.restore(like, warn=pytest.fail)
    assert restored is not None
    for times in (1, 2):
        config = Config(task=tasks.Parity(length=3, test_length=3 * times), cell=LONGER.cell)
        scores = evaluate(config, network(config), restored[1]["params"], config.task.open().held_out("test"))
        assert scores["wrong_sequences"] == [final(tmp_path)["metrics"][f"wrong_sequences@{times}x"]]
    assert " (1x " in capsys.readouterr().out and not [f for f in verify(tmp_path) if f.wrong]


def test_lengths_that_cannot_be():
    with pytest.raises(UsageError, match=r"CharLM has no longer sequences, .*eval_lengths is \(2,\); accepted: \(\)"):
        Config(task=tasks.CharLM(), cell=cells.Elman(hidden_size=2), eval_lengths=(2,))
    with pytest.raises(UsageError, match=r"eval_lengths is \(2, 2\); accepted: each number once"):
        Config(task=tasks.Parity(), cell=cells.Elman(hidden_size=2), eval_lengths=(2, 2))
