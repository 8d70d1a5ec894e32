"""Run by test_devices.py in a process of its own with two CPU devices: training on both is training on one."""

import dataclasses
import json
import signal
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from host_support import register
from support import assert_close
from task_support import network, opened

import rnnzoo
from rnnzoo import cells, structures, tasks
from rnnzoo.models import Stack
from rnnzoo.spec import spec
from rnnzoo.training import devices
from rnnzoo.training.config import Config
from rnnzoo.training.devices import SEEDS, shard, training_mesh
from rnnzoo.training.job import Job, Stopped
from rnnzoo.training.loops import training_loop
from rnnzoo.training.numbers import lanes_of, program_of
from rnnzoo.training.progress import Progress
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import first_state, shard_state, train_steps


@spec
class Ragged(tasks.BinaryAddition):
    """Sequences of 0 to T steps, so that a mean over the batch is not the mean of its parts' means."""

    def draw(self, key, size):
        batch = super().draw(key, size)
        return batch | {"lengths": jnp.arange(size, dtype=jnp.int32) * len(batch["x"]) // (size - 1)}


CONFIG = Config(
    task=Ragged(bits=4),
    cell=cells.LSTM(hidden_size=6),
    model=Stack(dropout=0.2, layers=2, embedding_size=3, norm=True),
    batch_size=4,
    lr=1e-2,
    steps=6,
    log_every=3,
    eval_every=3,
)


def change(**fields: Any) -> Config:
    return dataclasses.replace(CONFIG, **fields)


@pytest.fixture(autouse=True)
def worth(monkeypatch):
    """Split even these small batches."""
    monkeypatch.setattr(devices, "WORTH", 0)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("".join(chr(97 + n * n % 23) for n in range(140)))
    return tasks.CharLM(path=str(path), length=5)


def trained(config: Config, count: int) -> Any:
    """State and metrics after two calls of `train_steps`, which must agree on where the state lies."""
    mesh = training_mesh(config.seeds, config.batch_size, jax.devices()[:count])
    model, data = network(config), opened(config.task)
    arrays = shard(data.arrays, mesh)
    state = shard_state(first_state(config, model), mesh)
    lanes, static = shard(lanes_of(config), mesh, SEEDS), (program_of(config), model, data.static)
    program = train_steps.lower(*static, arrays, *lanes, state, np.int32(0), length=3, mesh=mesh).compile()
    state, _ = program(arrays, *lanes, state, np.int32(0))
    return program(arrays, *lanes, state, np.int32(3))


@pytest.mark.parametrize(
    ("fields", "sizes"),
    [
        pytest.param({}, (1, 2), id="ragged batch", marks=pytest.mark.slow),
        pytest.param({"seeds": 2}, (2, 1), id="seeds", marks=pytest.mark.slow),
        pytest.param({"seeds": 3}, (1, 2), id="batch of many seeds"),  # a split batch inside of a map over seeds
    ],
)
def test_two_devices_are_one(fields, sizes):
    config = change(**fields)
    mesh = training_mesh(config.seeds, config.batch_size, jax.devices())
    assert mesh is not None and mesh.devices.shape == sizes
    assert_close(trained(config, 2), trained(config, 1), 1e-5)


@pytest.mark.parametrize("seeds", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_streams_carry_their_part_of_the_batch(text, seeds):
    config = change(task=text, stream=True, seeds=seeds)
    split, whole = trained(config, 2), trained(config, 1)
    assert_close(split, whole, 1e-5)
    carry = split[0]["carry"]["layer_1"]["c"]
    assert carry.shape == (seeds, 4, 6) and carry.addressable_shards[0].data.shape == (seeds, 2, 6)


def train(config: Config, path: Any) -> dict[str, Any]:
    return Job(config, path, Progress(config)).run()


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "devices   2 of 2 CPU cores: a batch of 4 in 2 parts"),
        pytest.param({"seeds": 2}, "devices   2 of 2 CPU cores: 2 seeds in 2 parts", marks=pytest.mark.slow),
        ({"batch_size": 5}, ""),
    ],
)
def test_a_run_says_how_many_devices_it_uses(fields, line, tmp_path, capsys):
    train(change(**fields), tmp_path)
    said = [said for said in capsys.readouterr().out.splitlines() if "devices" in said]
    assert said == [line] * bool(line)


@pytest.mark.slow
def test_one_device_on_request(tmp_path, capsys):
    one = train(change(devices="one"), tmp_path / "one")
    assert "devices" not in capsys.readouterr().out
    two = train(CONFIG, tmp_path / "two")
    assert two["metrics"] == pytest.approx(one["metrics"], abs=1e-5)


def test_a_run_goes_on_with_another_number_of_devices(tmp_path, monkeypatch):
    train(CONFIG, tmp_path / "straight")
    job = Job(CONFIG, tmp_path / "cut", Progress(CONFIG))
    job.progress.step = lambda record, scores: signal.raise_signal(signal.SIGTERM)
    with pytest.raises(Stopped, match="stopped at step 3"):
        job.run()
    with monkeypatch.context() as patch:
        patch.setattr(jax, "local_devices", lambda: jax.devices()[:1])
        train(CONFIG, tmp_path / "cut")
    like = jax.eval_shape(lambda: first_state(CONFIG, network(CONFIG)))
    straight, cut = (RunFolder(tmp_path / n).last.restore(like, warn=pytest.fail) for n in ("straight", "cut"))
    assert_close(cut, straight, 1e-5)
    losses = [[json.loads(r)["loss"] for r in (tmp_path / n / "metrics.jsonl").open()] for n in ("straight", "cut")]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_batches_from_the_host_are_split(monkeypatch):
    config = dataclasses.replace(register(monkeypatch), seeds=3, steps=5)
    model, found = network(config), []
    for count in (1, 2):
        loop = training_loop(config, model, config.task.open())
        loop.use(training_mesh(config.seeds, config.batch_size, jax.devices()[:count]))
        state = shard_state(first_state(config, model), loop.mesh)
        loop.compile(state, 5)
        found.append(loop.run(state, 0, 5))
    assert_close(found[1], found[0], 1e-5)


def test_a_split_batch_has_the_gradients_of_a_whole_one():
    cell = cells.LSTM(hidden_size=6, structure=structures.Diagonal())
    params, xs = cell.init(jax.random.key(0), 3), jax.random.normal(jax.random.key(1), (5, 4, 3))
    lengths = jnp.array([0, 2, 5, 4])
    gradient = jax.jit(jax.grad(lambda p, xs, n: (rnnzoo.run(cell, p, xs, lengths=n)[0] ** 2).sum()))
    split = rnnzoo.split_batch(xs)
    assert [part.data.shape for part in split.addressable_shards] == [(5, 2, 3)] * 2
    expected = gradient(params, xs, lengths)
    assert_close(gradient(params, split, rnnzoo.split_batch(lengths, 0)), expected, 1e-6)
    inside = jax.jit(lambda p, xs: gradient(p, rnnzoo.split_batch(xs), lengths))
    assert_close(inside(params, xs), expected, 1e-6)


def test_the_number_of_devices_that_was_set_by_hand_stays():
    rnnzoo.use_cpu_cores()
    assert len(jax.devices()) == 2
