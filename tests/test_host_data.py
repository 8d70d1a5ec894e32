"""Training data that come from an iterator on the host, and what a stopped run reads once it goes on."""

import dataclasses
import json
import signal
from pathlib import Path
from typing import Any

import jax
import pytest
from host_support import FAIL_AT, ROWS, TAKEN, Epochs, FedData, Rows, register
from support import assert_close
from task_support import network, text_file

import rnnzoo
from rnnzoo import cells, tasks
from rnnzoo.models import Stack
from rnnzoo.training.config import Config
from rnnzoo.training.evaluation import evaluate_run
from rnnzoo.training.job import Job, Stopped
from rnnzoo.training.loops import HostLoop, InMemoryLoop
from rnnzoo.training.progress import Progress
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import first_state

file = text_file


@pytest.fixture
def config(monkeypatch) -> Config:
    return register(monkeypatch)


def train(config: Config, path: Path) -> dict[str, Any]:
    return Job(config, path, Progress(config)).run()


def last_state(config: Config, path: Path) -> Any:
    like = jax.eval_shape(lambda: first_state(config, network(config)))
    return RunFolder(path).last.restore(like, warn=pytest.fail)


def taken(action: Any) -> list[tuple[int, list[int]]]:
    """The seed and the rows of every batch that was trained on. The first one read only gives the shapes."""
    TAKEN.clear()
    action()
    return TAKEN[1:]


def test_a_run_reads_every_row_of_an_epoch_once(config, tmp_path):
    rows = [row for _, batch in taken(lambda: train(config, tmp_path / "run")) for row in batch]
    assert len(rows) == 18 * 4
    assert sorted(rows[:ROWS]) == list(range(ROWS)) != rows[:ROWS] and rows[:4] != rows[ROWS : ROWS + 4]
    final = json.loads((tmp_path / "run/final.json").read_text())
    assert evaluate_run(tmp_path / "run", config, "last", pytest.fail) == {"accuracy": [final["metrics"]["accuracy"]]}
    assert train(config, tmp_path / "run") == final  # opened again


@pytest.mark.parametrize("seeds", [1, 2])
@pytest.mark.parametrize("how", ["stopped at a log line", "killed between two steps"])
def test_a_resumed_run_reads_the_same_batches(config, tmp_path, how, seeds):
    config = dataclasses.replace(config, seeds=seeds)
    straight = taken(lambda: train(config, tmp_path / "straight"))

    def interrupted() -> None:
        job = Job(config, tmp_path / "cut", Progress(config))
        if how == "stopped at a log line":
            job.progress.step = lambda record, scores: record["step"] == 9 and signal.raise_signal(signal.SIGTERM)
            with pytest.raises(Stopped, match="stopped at step 9"):
                job.run()
        else:
            FAIL_AT.append(10)
            with pytest.raises(KeyboardInterrupt):
                job.run()
            FAIL_AT.clear()

    at, read = (9, 9) if how == "stopped at a log line" else (6, 10)  # the checkpoint, and the steps trained before
    assert taken(interrupted) == straight[: read * seeds]
    assert RunFolder(tmp_path / "cut").last.steps()[0] == at
    assert taken(lambda: train(config, tmp_path / "cut")) == straight[at * seeds :]
    assert_close(last_state(config, tmp_path / "cut"), last_state(config, tmp_path / "straight"), 0)


def test_a_damaged_place_falls_back_to_the_checkpoint_before(config, tmp_path, capsys):
    straight = taken(lambda: train(config, tmp_path / "run"))
    file = tmp_path / "run/checkpoints/last/18/record.json"
    record = json.loads(file.read_text())
    assert record["place"] == [{"rows read": 72}]
    file.write_text(json.dumps(record | {"place": [{"rows read": 60}]}))
    assert taken(lambda: train(config, tmp_path / "run")) == straight[12:]
    assert "18/record.json is not what was written" in capsys.readouterr().err


def test_seeds_read_what_they_read_alone(config, tmp_path):
    together = taken(lambda: train(dataclasses.replace(config, seeds=2, seed=3), tmp_path / "both"))
    for seed in (3, 4):
        alone = taken(lambda seed=seed: train(dataclasses.replace(config, seed=seed), tmp_path / str(seed)))
        assert alone == [batch for batch in together if batch[0] == seed]


@pytest.mark.parametrize("stream", [False, True])
def test_a_loop_on_the_host_is_the_compiled_one(stream, file):
    text = file("".join(chr(97 + n * n % 23) for n in range(140)))
    task = tasks.CharLM(path=text, length=5) if stream else tasks.Parity(length=4)
    config = Config(
        task=task,
        cell=cells.LSTM(hidden_size=4),
        model=Stack(dropout=0.2),
        batch_size=3,
        steps=9,
        stream=stream,
        seeds=1 if stream else 2,
    )
    model, found = network(config), []
    for loop in (InMemoryLoop(config, model, config.task.open()), HostLoop(config, model, FedData(config))):  # pyright: ignore
        state, losses = first_state(config, model), []
        for start, length in ((0, 4), (4, 5)):
            loop.compile(state, length)
            state, metrics = loop.run(state, start, length)
            losses.append(metrics)
        found.append((state, losses))
    assert_close(found[1], found[0], 1e-5)


class Ends(Epochs):
    def __next__(self):
        if self.read >= 20:
            raise StopIteration
        return super().__next__()


class Shrinks(Epochs):
    def __next__(self):
        batch = super().__next__()
        return batch if self.read < 20 else {"x": batch["x"][:-1], "y": batch["y"]}


@pytest.mark.parametrize(
    ("iterator", "message"),
    [
        (Ends, "Ends ended at step 5; accepted: an iterator without end"),
        (Shrinks, r"the batch of step 4 has .*\(4, 4, 1\).*; accepted, as in the first batch: .*\(5, 4, 1\)"),
    ],
)
def test_iterators_that_break_the_contract_are_refused(config, tmp_path, monkeypatch, iterator, message):
    monkeypatch.setattr(Rows, "batches", lambda self, size, seed: iterator(self.x, self.y, size, seed))
    with pytest.raises(rnnzoo.UsageError, match=message):
        train(config, tmp_path / "run")


def test_what_does_not_fit_is_found_before_anything_is_written(config, tmp_path, monkeypatch):
    with pytest.raises(rnnzoo.UsageError, match="Rows has no streams; accepted"):
        Rows().segments(4)
    monkeypatch.setattr(Rows, "input_size", 3)
    with pytest.raises((rnnzoo.UsageError, TypeError)):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_without_a_place_is_refused(config):
    loop = HostLoop(config, network(config), Rows())
    for place in (None, [], [{"rows read": 0}] * 2):
        with pytest.raises(rnnzoo.UsageError, match="does not say where the training data were"):
            loop.restore(place)


def test_another_run_starts_from_one(config, tmp_path):
    train(config, tmp_path / "run")
    warm = dataclasses.replace(config, init_from=str(tmp_path / "run"), steps=6)
    assert len(taken(lambda: train(warm, tmp_path / "warm"))) == 6
    record = json.loads((tmp_path / "warm/checkpoints/last/6/record.json").read_text())
    assert record["place"] == [{"rows read": 24}]
