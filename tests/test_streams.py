"""Sequences longer than memory: segments with the state carried over are one long sequence."""

import dataclasses
import signal
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close
from task_support import network, opened
from zoo import defaults

import rnnzoo
from rnnzoo import cells, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.tasks.data import InMemory
from rnnzoo.training.config import Config
from rnnzoo.training.job import Job, Stopped
from rnnzoo.training.numbers import lanes_of, program_of
from rnnzoo.training.progress import Progress
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import first_state, train_steps

LENGTH, SIZE = 5, 3


@pytest.fixture
def config(tmp_path) -> Config:
    path = tmp_path / "text.txt"
    path.write_text("".join(chr(97 + n * n % 23) for n in range(140)))  # 126 to train on: 125 targets
    return Config(
        task=tasks.CharLM(path=str(path), length=LENGTH),
        cell=cells.LSTM(hidden_size=5, structure=structures.Diagonal()),
        model=Stack(layers=2),
        stream=True,
        batch_size=SIZE,
        steps=12,
        log_every=3,
        eval_every=6,
        lr=1e-2,
    )


def train(config: Config, path: Any) -> Any:
    return Job(config, path, Progress(config)).run()


def test_segments_follow_one_another_and_begin_again(config):
    data = opened(config.task)
    train = data.arrays["train"]
    part = (len(train) - 1) // SIZE
    count = part // LENGTH
    segments = [jax.tree.map(np.asarray, data.segment(data.arrays, jnp.int32(k), SIZE)) for k in range(count + 1)]
    for name, offset in (("x", 0), ("y", 1)):
        joined = np.concatenate([s[name] for s in segments[:-1]])
        for lane in range(SIZE):
            begin = part * lane + offset
            np.testing.assert_array_equal(joined[:, lane], train[begin : begin + count * LENGTH])
    assert [s["resets"].sum() for s in segments] == [SIZE, *[0] * (count - 1), SIZE]
    assert segments[0]["resets"][0].all()
    assert_close(segments[-1], segments[0], 0)


def test_segments_with_the_state_carried_over_are_one_long_sequence(config):
    still = dataclasses.replace(config, optimizer="sgd", lr=1e-30)  # parameters stay where they are
    model, data, count = network(still), opened(still.task), 8
    state = first_state(still, model)
    params = jax.tree.map(lambda a: a[0], state["params"])
    batches = [data.segment(data.arrays, jnp.int32(k), SIZE) for k in range(count)]
    whole = jax.tree.map(lambda *a: jnp.concatenate(a), *batches)
    outputs, last = model.apply(params, whole["x"])
    losses = [still.task.loss(outputs[k * LENGTH : (k + 1) * LENGTH], batch) for k, batch in enumerate(batches)]
    program, lanes = program_of(still), lanes_of(still)
    state, metrics = train_steps(program, model, data.static, data.arrays, *lanes, state, np.int32(0), length=count)
    assert_close(metrics["loss"][0], jnp.stack(losses), 1e-6)
    assert_close(jax.tree.map(lambda a: a[0], state["carry"]), last, 1e-6)
    alone = still.task.loss(model.apply(params, batches[3]["x"])[0], batches[3])
    assert abs(alone - losses[3]) > 1e-5  # without what came before it, the fourth segment is another


def test_a_resumed_stream_is_bit_exact(config, tmp_path):
    train(config, tmp_path / "straight")
    job = Job(config, tmp_path / "cut", Progress(config))
    job.progress.step = lambda record, scores: signal.raise_signal(signal.SIGTERM) if record["step"] == 9 else None
    with pytest.raises(Stopped, match="stopped at step 9"):
        job.run()
    train(config, tmp_path / "cut")
    like = jax.eval_shape(lambda: first_state(config, network(config)))
    straight, cut = (RunFolder(tmp_path / n).last.restore(like, warn=pytest.fail) for n in ("straight", "cut"))
    assert straight is not None and cut is not None and straight[0] == 12
    assert straight[1]["carry"]["layer_1"]["c"].shape == (1, SIZE, 5)
    assert_close(cut, straight, 0)


@pytest.mark.slow
def test_a_stream_goes_on_from_other_parameters(config, tmp_path):
    train(dataclasses.replace(config, stream=False), tmp_path / "windows")
    warm = dataclasses.replace(config, init_from=str(tmp_path / "windows"), seeds=1)
    assert train(warm, tmp_path / "stream")["steps"] == 12


@pytest.mark.parametrize("task", defaults("tasks"), ids=str)
def test_who_has_streams(task: Any):
    data = opened(task)
    own = type(data).segment is not InMemory.segment
    assert own == task.streams
    if not own:
        with pytest.raises(rnnzoo.UsageError, match="has no streams; accepted"):
            Config(task=task, cell=cells.Elman(hidden_size=4), stream=True)
        with pytest.raises(rnnzoo.UsageError, match="has no streams; accepted"):
            data.segment(data.arrays, jnp.int32(0), 2)


def test_streams_that_cannot_be(config, tmp_path):
    with pytest.raises(
        rnnzoo.UsageError, match=r"125 characters do not make 26 streams .*; accepted: a batch of up to 25"
    ):
        Job(dataclasses.replace(config, batch_size=26), tmp_path / "run", Progress(config))
    with pytest.raises(rnnzoo.UsageError, match="bidirectional stack reads whole sequences"):
        both = dataclasses.replace(config, model=Stack(bidirectional=True))
        Job(both, tmp_path / "run", Progress(both))
    assert not (tmp_path / "run").exists()
