"""The contract of data: what a task reads when it is opened, and what a run does with its parts."""

import builtins
import dataclasses
import hashlib
import inspect
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from support import assert_close
from task_support import TEXT, held_out, network, opened, text_file
from zoo import defaults

import rnnzoo
from rnnzoo import cells, tasks
from rnnzoo.__main__ import command
from rnnzoo.tasks.data import InMemory
from rnnzoo.tasks.synthetic import Synthetic
from rnnzoo.training.config import Config
from rnnzoo.training.job import Job, evaluate_run
from rnnzoo.training.progress import Progress
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import init_state

file = text_file
DEFAULTS = defaults("tasks")
EACH = pytest.mark.parametrize("task", DEFAULTS, ids=str)
SMALL = Config(
    task=tasks.BinaryAddition(bits=4), cell=cells.Elman(hidden_size=4), steps=12, log_every=3, eval_every=3, lr=1e-2
)


def train(config: Config, path: Path) -> dict[str, Any]:
    return Job(config, path, Progress(config)).run()


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


# ---- what is opened --------------------------------------------------------------------------------------


@EACH
def test_data_have_sizes_and_a_fingerprint(task):
    data = opened(task)
    assert type(data.input_size) is int and type(data.output_size) is int
    assert data.fingerprint == task.open().fingerprint and len(data.fingerprint) == 64
    assert data.symbols is None or len(data.symbols) + 1 == data.input_size == data.output_size
    model = network(Config(task=task, cell=cells.Elman(hidden_size=2)))
    assert (model.input_size, model.output_size) == (data.input_size, data.output_size)


@EACH
def test_equal_data_share_compiled_programs(task):
    first, again = task.open(), task.open()
    assert isinstance(first, InMemory)
    assert first == again and hash(first) == hash(again) == hash(first.static)
    assert not jax.tree.leaves(first.static.arrays)  # nothing that a compiled program would keep alive
    traced = []

    def draw(data: Any, arrays: Any, key: Any) -> Any:
        traced.append(data)
        return data.batch(arrays, key, 3)

    drawn = jax.jit(draw, static_argnums=0)
    one, other = (drawn(data.static, data.arrays, jax.random.key(0)) for data in (first, again))
    assert len(traced) == 1
    assert_close(one, other, 0)


def test_equal_synthetic_tasks_share_the_program_of_their_fixed_sets(monkeypatch):
    drawn = []
    draw = tasks.Adding.draw
    monkeypatch.setattr(tasks.Adding, "draw", lambda self, key, size: drawn.append(size) or draw(self, key, size))
    task = lambda: tasks.Adding(length=3).open()  # noqa: E731
    for part in ("test", "validation"):
        next(task().held_out(part))
    once = len(drawn)
    for part in ("test", "validation"):
        next(task().held_out(part))
    assert once == len([size for size in drawn if size > 1]) + 1  # with the one that gives the length


@EACH
def test_properties_of_tasks_touch_no_file(task, monkeypatch):
    if isinstance(task, tasks.CharLM):
        task = tasks.CharLM(path="/nowhere/at/all")

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a file was opened")

    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr("os.stat", refuse)
    monkeypatch.setattr("rnnzoo.tasks.digits._digits", refuse)
    for name, _ in inspect.getmembers(type(task), lambda member: isinstance(member, property)):
        getattr(task, name)
    config = Config(task=task, cell=cells.Elman(hidden_size=2))
    assert rnnzoo.from_json(rnnzoo.to_json(config)) == config and hash(config) and repr(config)


def test_a_file_is_read_once(file, tmp_path, monkeypatch):
    path, read, plain = file(TEXT), [], builtins.open
    monkeypatch.setattr(
        builtins, "open", lambda f, *a, **k: (read.append(f) if f == path else None) or plain(f, *a, **k)
    )
    config = dataclasses.replace(SMALL, task=tasks.CharLM(path=path, length=8), steps=2, eval_every=1)

    def reads(action: Any) -> int:
        read.clear()
        action()
        return len(read)

    longer = dataclasses.replace(config, task=tasks.CharLM(path=path, length=9))
    warm = dataclasses.replace(config, init_from=str(tmp_path / "run"), steps=1)
    assert reads(config.task.open) == 1
    assert reads(lambda: train(config, tmp_path / "run")) == 1
    assert reads(lambda: train(config, tmp_path / "run")) == 1  # where it has nothing left to do
    assert reads(lambda: train(warm, tmp_path / "warm")) == 1
    assert reads(lambda: evaluate_run(tmp_path / "run", config, "last", pytest.fail)) == 1
    assert reads(lambda: evaluate_run(tmp_path / "run", longer, "last", pytest.fail)) == 2
    assert reads(lambda: command(["sample", str(tmp_path / "run"), "--prompt", "l", "--length", "1"])) == 1


# ---- parts -----------------------------------------------------------------------------------------------


def test_parts_of_the_digits_have_no_image_in_common():
    arrays = tasks.Digits().open().arrays
    images = {part: {np.asarray(x).tobytes() for x in np.asarray(of["x"])} for part, of in arrays.items()}
    assert [len(images[part]) for part in ("train", "validation", "test")] == [1097, 200, 500]
    assert len(set.union(*images.values())) == 1797


@pytest.mark.parametrize("size", [40, 20_019])
def test_parts_of_a_text_are_the_text(file, size):
    text = (TEXT * (size // len(TEXT) + 1))[:size]
    task = tasks.CharLM(path=file(text), length=1)
    found = []
    for part in ("train", "validation", "test"):
        for batch in held_out(task, part):
            found += [batch["y"][:length, b] for b, length in enumerate(batch["lengths"])]
    np.testing.assert_array_equal(np.concatenate(found), opened(task).encode(text)[1:])


@pytest.mark.parametrize("task", [task for task in DEFAULTS if isinstance(task, Synthetic)], ids=str)
def test_fixed_sets_of_synthetic_tasks_are_drawn_from_different_keys(task):
    x = {part: held_out(task, part)[0]["x"] for part in ("train", "validation", "test")}
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert x[one].shape != x[other].shape or not np.array_equal(x[one], x[other])
    assert len(held_out(task, "validation")) == len(held_out(task, "test"))
    assert x["validation"].shape == x["test"].shape  # one program evaluates both


# SHA-256 of x of the test sets, as they were before there were validation sets: published scores are scores on these.
TEST_SETS = {
    "Adding": "8f5215a0588cfcff501f268a292fbd42eba6583dda7e4e149e8538b0beec9a0c",
    "BinaryAddition": "f0bc434ce2677d639079ed60b0e1cb70520cb92370adf7147034284d1fefb7a1",
    "CopyMemory": "0b49003102d822ecff99851e84dd743a0e6d978b0c2e1ccd079fd761bb30f322",
    "DelayedRecall": "aa822376a01ac8b9284696a0f54c1f9a048dbca4f8d833e49ffbffe43f3d7632",
    "Digits": "41ffcb1ec1065bbf274fed804f353043e7a3b512f9824ae52dd34da0f808ca67",
    "Parity": "012bf00126e5ac572e1b02e2da0ed4e7227d49f4b5491e553ef6d61e6ebad007",
}


@pytest.mark.parametrize("name", TEST_SETS)
def test_test_sets_stay_what_they_were(name):
    digest = hashlib.sha256()
    for batch in held_out(dict(rnnzoo.members("tasks"))[name]()):
        digest.update(np.ascontiguousarray(batch["x"]).tobytes())
    assert digest.hexdigest() == TEST_SETS[name]


def test_fingerprints_stay_what_they_were():
    nothing = hashlib.sha256().hexdigest()
    assert opened(tasks.Adding()).fingerprint == nothing
    digits = "6043d8eabab9dd626a3d7aa2dbd689622b3c3fb9ca48da5cc7d5f32236d2654f"
    assert opened(tasks.Digits()).fingerprint == digits


# ---- runs ------------------------------------------------------------------------------------------------


def test_the_best_checkpoint_is_chosen_by_validation_scores_and_the_test_set_used_at_the_end(tmp_path, monkeypatch):
    given = {"validation": {3: 0.9, 6: 0.2, 9: 0.4, 12: 0.5}, "test": {3: 0.1, 6: 0.8, 9: 0.05, 12: 0.7}}
    asked = []

    def evaluated(job: Job, state: Any, part: Any) -> dict[str, list[float]]:
        step = int(state["opt"][1].count[0])
        asked.append((part, step))
        return {"wrong_sums": [given[part][step]], "bit_error": [0.5]}

    monkeypatch.setattr(Job, "_evaluate", evaluated)
    final = train(SMALL, tmp_path / "run")
    assert RunFolder(tmp_path / "run").best.steps() == [6]
    assert [step for part, step in asked if part == "test"] == [12, 6]
    assert final["metrics"]["wrong_sums"] == 0.7 and final["validation"]["wrong_sums"] == 0.5
    assert final["best"] == {
        "step": 6,
        "metrics": {"wrong_sums": 0.8, "bit_error": 0.5},
        "validation": {"wrong_sums": 0.2, "bit_error": 0.5},
    }
    assert [r["validation"]["wrong_sums"][0] for r in records(tmp_path / "run")] == [0.9, 0.2, 0.4, 0.5]
    assert [r.get("scores") for r in records(tmp_path / "run")] == [None] * 3 + [
        {"wrong_sums": [0.7], "bit_error": [0.5]}
    ]
    assert train(SMALL, tmp_path / "run") == final  # opened again


def test_final_scores_are_those_of_the_parts(tmp_path):
    config = dataclasses.replace(SMALL, seeds=2)
    final = train(config, tmp_path / "run")
    for part, name in (("test", "metrics"), ("validation", "validation")):
        scores = evaluate_run(tmp_path / "run", config, "last", pytest.fail, part)  # pyright: ignore[reportArgumentType]
        assert {k: v["per_seed"] for k, v in final[name].items()} == scores
        scores = evaluate_run(tmp_path / "run", config, "best", pytest.fail, part)  # pyright: ignore[reportArgumentType]
        assert {k: v["per_seed"] for k, v in final["best"][name].items()} == scores
    assert final["metrics"] != final["validation"]


def test_a_saved_best_checkpoint_has_its_test_scores(tmp_path):
    config = dataclasses.replace(SMALL, lr=0.3, steps=24, seed=5)
    final = train(config, tmp_path / "run")
    assert final["best"]["step"] < 24
    for which, scores in (("last", final["metrics"]), ("best", final["best"]["metrics"])):
        assert command(["save", str(tmp_path / "run"), "--checkpoint", which, "--out", str(tmp_path / which)]) == 0
        assert rnnzoo.load_model(tmp_path / which).scores == pytest.approx(scores)


def as_of_the_first_edition(path: Path) -> None:
    """Rewrite a run folder as rnnzoo 0.1.0 left it: only test scores, at every evaluation."""
    lines = []
    for record in records(path):
        if "validation" in record:
            record["scores"] = record.pop("validation")  # other numbers, and of the same form
        lines.append(json.dumps(record))
    (path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    final = json.loads((path / "final.json").read_text())
    (path / "final.json").write_text(json.dumps({k: v for k, v in final.items() if k not in ("validation", "best")}))


def test_a_run_of_the_first_edition_is_resumed_with_a_warning(tmp_path, capsys):
    train(SMALL, tmp_path / "straight")
    train(SMALL, tmp_path / "old")
    as_of_the_first_edition(tmp_path / "old")
    folder = RunFolder(tmp_path / "old")
    folder.last.set_aside_newer(9)
    capsys.readouterr()
    final = train(SMALL, tmp_path / "old")
    assert "an older rnnzoo began this run and had no validation set" in capsys.readouterr().err
    assert final["metrics"] == json.loads((tmp_path / "straight/final.json").read_text())["metrics"]
    like = jax.eval_shape(lambda: init_state(SMALL, network(SMALL)))
    old, straight = (RunFolder(tmp_path / name).last.restore(like, pytest.fail) for name in ("old", "straight"))
    assert_close(old, straight, 0)
    assert ["validation" in r for r in records(tmp_path / "old")] == [False, False, False, True]
    scores = [median_of(evaluate_run(tmp_path / "old", SMALL, w, pytest.fail, "validation")) for w in ("best", "last")]
    assert scores[0] <= scores[1]  # the best one of then was evaluated again, and is beaten or kept


def median_of(scores: dict[str, list[float]]) -> float:
    return float(np.median(scores["wrong_sums"]))


def test_runs_of_copy_memory_have_no_characters(tmp_path):
    config = dataclasses.replace(SMALL, task=tasks.CopyMemory(delay=2, symbols=3, alphabet=4), steps=3)
    final = train(config, tmp_path / "run")
    symbols = tmp_path / "run" / "symbols.json"
    assert not symbols.exists()
    symbols.write_text("3\n")  # what the first edition wrote
    assert train(config, tmp_path / "run")["metrics"] == final["metrics"]
    assert command(["evaluate", str(tmp_path / "run")]) == 0
    assert command(["save", str(tmp_path / "run"), "--out", str(tmp_path / "model")]) == 0
    assert rnnzoo.load_model(tmp_path / "model").symbols is None
    warm = dataclasses.replace(config, init_from=str(tmp_path / "run"), steps=1)
    assert train(warm, tmp_path / "warm")["steps"] == 1
