"""The contract of data: what a task reads when it is opened, and its parts."""

import builtins
import dataclasses
import hashlib
import inspect
import os
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
from rnnzoo.tasks.synthetic.drawn import Synthetic
from rnnzoo.training.config import Config
from rnnzoo.training.evaluation import evaluate_run
from rnnzoo.training.job import Job
from rnnzoo.training.progress import Progress

file = text_file
DEFAULTS = defaults("tasks")
EACH = pytest.mark.parametrize("task", DEFAULTS, ids=str)
SMALL = Config(
    task=tasks.BinaryAddition(bits=4), cell=cells.Elman(hidden_size=4), steps=12, log_every=3, eval_every=3, lr=1e-2
)


def train(config: Config, path: Path) -> dict[str, Any]:
    return Job(config, path, Progress(config)).run()


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
    monkeypatch.setattr("os.open", refuse)
    monkeypatch.setattr("os.stat", refuse)
    monkeypatch.setattr("rnnzoo.tasks.classification.digits._digits", refuse)
    for name, _ in inspect.getmembers(type(task), lambda member: isinstance(member, property)):
        getattr(task, name)
    config = Config(task=task, cell=cells.Elman(hidden_size=2))
    assert rnnzoo.from_json(rnnzoo.to_json(config)) == config and hash(config) and repr(config)


def test_a_file_is_read_once(file, tmp_path, monkeypatch):
    path, read, plain = file(TEXT), [], os.open
    monkeypatch.setattr(
        os, "open", lambda f, *a, **k: (read.append(f) if str(f) == path else None) or plain(f, *a, **k)
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
    if np.array_equal(*(task.draw_held_out(jax.random.key(seed), 64)["x"] for seed in (0, 1))):
        return  # there are no other sequences of those lengths
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
