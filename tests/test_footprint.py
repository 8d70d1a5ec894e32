"""A run that cannot fit memory is refused before anything is written or compiled, and one that fits never is."""

import dataclasses
import time
from typing import Any

import jax
import numpy as np
import pytest
from task_support import network, opened

from rnnzoo import cells, initializers, structures, tasks, wrappers
from rnnzoo.__main__ import command
from rnnzoo.commands.exits import guarded
from rnnzoo.models import Model, Stack
from rnnzoo.spec import UsageError
from rnnzoo.structures import patterns
from rnnzoo.training import footprint
from rnnzoo.training.config import Config
from rnnzoo.training.footprint import check_memory, machine_bytes, memory_of, needed_bytes
from rnnzoo.training.job import Job
from rnnzoo.training.progress import Progress
from rnnzoo.training.update import first_state

SMALL = Config(task=tasks.BinaryAddition(bits=4), cell=cells.GRU(hidden_size=4), steps=4, log_every=2, momentum=0.5)
SPARSE = structures.SparseMask(pattern=patterns.RandomRows(others=2))
HUGE: dict[str, dict[str, Any]] = {
    "batch": {"batch_size": 10**9},
    "seeds": {"seeds": 10**9},
    "dense": {"cell": cells.Elman(hidden_size=10**6)},
    "states": {"cell": cells.Elman(hidden_size=10**7, structure=structures.Diagonal()), "batch_size": 10**6},
    "sequences": {"task": tasks.CopyMemory(delay=10**9)},
    "symbols": {"task": tasks.CopyMemory(alphabet=2 * 10**9), "cell": cells.Elman(hidden_size=100)},
    "metrics": {"steps": 2**31 - 1, "log_every": 2**31 - 1, "eval_every": 2**31 - 1, "seeds": 100},
    "layers": {"cell": cells.LSTM(hidden_size=20_000), "model": Stack(layers=40)},
    "drawn by numpy": {"cell": cells.Elman(hidden_size=10**5, recurrent_init=initializers.Reservoir())},
    "patterns": {"cell": cells.Elman(hidden_size=10**6, structure=SPARSE), "batch_size": 10**6},
}


@pytest.mark.parametrize("name", HUGE)
def test_what_cannot_fit_is_refused_in_seconds_and_nothing_is_written(tmp_path, name):
    config, began = dataclasses.replace(SMALL, **HUGE[name]), time.process_time()
    with pytest.raises(
        UsageError, match=r"the arrays of this run take [\d,]+ bytes or more \(.*\); accepted: up to the"
    ):
        Job(config, tmp_path / "run", Progress(config))
    assert time.process_time() - began < 20 and not (tmp_path / "run").exists()


def test_the_command_says_how_much_is_needed_and_how_much_there_is(tmp_path, capsys):
    (tmp_path / "huge.py").write_text(
        "from rnnzoo import cells, tasks\nfrom rnnzoo.config import Config\n"
        "config = Config(task=tasks.Parity(), cell=cells.Elman(hidden_size=10**6))\n"
    )
    assert guarded(command)(["train", "--config", str(tmp_path / "huge.py"), "--workdir", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    # Dense U of 10^12 float32: itself, its gradient, and Adam's two moments
    assert "take 16,0" in said and "(optimizer 8,0" in said and f"up to the {machine_bytes():,} of the machine" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("stream", [False, True])
def test_the_estimate_is_what_the_arrays_have(optimizer, stream):
    task = tasks.CharLM(length=5) if stream else SMALL.task
    config = dataclasses.replace(SMALL, optimizer=optimizer, stream=stream, task=task, seeds=3, model=Stack(layers=2))
    model, data = network(config), opened(task)
    state = jax.eval_shape(lambda: first_state(config, model))
    sizes = {name: sum(a.size * a.dtype.itemsize for a in jax.tree.leaves(tree)) for name, tree in state.items()}
    found = needed_bytes(config, model, data)
    assert found["parameters"] == found["gradients"] == sizes["params"] and found["optimizer"] == sizes["opt"]
    if stream:
        assert found["states"] == sizes["carry"] == 3 * 2 * 32 * 4 * 4
        assert found["batch"] == 3 * 32 * 5 * (4 + 4 + 1)  # tokens, targets, resets
    else:
        assert found["states"] == 3 * 32 * 4 * 4
        batch = jax.eval_shape(lambda key: data.batch(data.arrays, key, 32), jax.random.key(0))
        assert found["batch"] == 3 * sum(a.size * a.dtype.itemsize for a in jax.tree.leaves(batch))
    assert found["metrics"] == 3 * 2 * 9


def test_what_fits_by_one_byte_is_accepted(monkeypatch):
    model, data = network(SMALL), opened(SMALL.task)
    total = sum(needed_bytes(SMALL, model, data).values())
    monkeypatch.setattr(footprint, "machine_bytes", lambda: total)
    check_memory(SMALL, model, data)
    monkeypatch.setattr(footprint, "machine_bytes", lambda: total - 1)
    with pytest.raises(UsageError, match=f"take {total:,} bytes or more .* up to the {total - 1:,} of the machine"):
        check_memory(SMALL, model, data)


class Device:
    device_kind = "H100"

    def __init__(self, limit: int | None):
        self.limit = limit

    def memory_stats(self) -> dict[str, int] | None:
        return None if self.limit is None else {"bytes_limit": self.limit}


def test_devices_that_know_their_memory_are_asked(monkeypatch):
    monkeypatch.setattr(footprint, "machine_bytes", lambda: 7)
    one = dataclasses.replace(SMALL, devices="one")
    for limits, expected in (([100, 200], (300, "2 x H100")), ([None, None], (7, "the machine"))):
        monkeypatch.setattr(jax, "local_devices", lambda limits=limits: list(map(Device, limits)))
        assert memory_of(SMALL) == expected
    monkeypatch.setattr(jax, "local_devices", lambda: [Device(100), Device(200)])
    assert memory_of(one) == (100, "1 x H100")


def test_the_least_of_machine_and_limits_counts(monkeypatch):
    texts = {
        "/proc/meminfo": ["MemTotal:  9 kB", "SwapTotal:  2 kB"],
        footprint.CGROUP[0]: ["max"],
        footprint.CGROUP[1]: [],
    }
    monkeypatch.setattr(footprint, "_lines", texts.get)
    monkeypatch.setattr(footprint, "_physical", lambda: 9 * 1024)
    monkeypatch.setattr(footprint, "_address_space", lambda: np.inf)
    assert machine_bytes() == 11 * 1024
    texts[footprint.CGROUP[0]] = ["5000"]
    assert machine_bytes() == 5000 + 2048  # what the group may not have in memory may go to the swap space
    monkeypatch.setattr(footprint, "_address_space", lambda: 77)
    assert machine_bytes() == 77


def test_a_model_has_the_shapes_that_it_is_drawn_with():
    for cell in (
        cells.GRU(hidden_size=6, recurrent_init=initializers.Orthogonal(), kernel_init=initializers.Uniform()),
        cells.Elman(hidden_size=6, structure=SPARSE, recurrent_init=initializers.Reservoir(density=0.5)),
        wrappers.Zoneout(hidden_size=6, cell=cells.LSTM(hidden_size=1, recurrent_init=initializers.IdentityLike())),
        wrappers.MultiplicativeIntegration(cell=cells.Elman(hidden_size=6, structure=structures.Masked())),
    ):
        stack = Stack(layers=2, embedding_size=3, norm=True, bidirectional=True, head_init=initializers.Orthogonal())
        model = Model(cell=cell, input_size=5, output_size=2, stack=stack)
        drawn = jax.eval_shape(lambda m=model: m.init(jax.random.key(0)))
        assert model.shapes() == drawn
