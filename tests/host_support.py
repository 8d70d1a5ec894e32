"""A task whose training batches come from the host, one after another: rows of an array, in a new order each epoch."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rnnzoo import cells
from rnnzoo.spec import _FAMILIES, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Batch, Batches, Data, HostData, Part, fingerprint_of
from rnnzoo.training.config import Config
from rnnzoo.training.update import next_batch

ROWS, TIME = 37, 5
TAKEN: list[tuple[int, list[int]]] = []  # the seed and the rows of every batch, as they were read
FAIL_AT: list[int] = []  # reading the batch of this number fails, as if the process were killed there


class Epochs(Batches):
    """Every epoch has all rows once, in an order of its own; a batch may begin in one epoch and end in the next."""

    def __init__(self, x: np.ndarray, y: np.ndarray, size: int, seed: int):
        self.x, self.y, self.size, self.seed, self.read = x, y, size, seed, 0

    def __next__(self) -> Batch:
        number = self.read // self.size
        if number in FAIL_AT:
            raise KeyboardInterrupt
        rows = [self._row(self.read + i) for i in range(self.size)]
        self.read += self.size
        TAKEN.append((self.seed, rows))
        return {"x": self.x[:, rows], "y": self.y[rows]}

    def _row(self, position: int) -> int:
        epoch, place = divmod(position, len(self.y))
        return int(np.random.RandomState([self.seed, epoch]).permutation(len(self.y))[place])

    def state(self) -> Any:
        return {"rows read": self.read}

    def restore(self, state: Any) -> None:
        self.read = state["rows read"]


class Rows(HostData):
    input_size = 1
    output_size = 1

    def __init__(self) -> None:
        random = np.random.RandomState(0)
        self.x = random.randn(TIME, ROWS, 1).astype(np.float32)
        self.y = (self.x.sum((0, 2)) > 0).astype(np.int32)

    @property
    def fingerprint(self) -> str:
        return fingerprint_of((self.x, self.y))

    def batches(self, size: int, seed: int) -> Epochs:
        return Epochs(self.x, self.y, size, seed)

    def held_out(self, part: Part) -> Iterator[Batch]:
        rows = {"train": slice(0, 20), "validation": slice(20, 30), "test": slice(30, 37)}[part]
        yield {"x": self.x[:, rows], "y": self.y[rows]}


@spec
class _Sign(Task):
    """Whether the sum of a row is positive."""

    metric = "accuracy"
    better = "higher"
    read = "last"

    def open(self) -> Data:
        return Rows()

    def loss(self, outputs, batch):
        return measures.binary_cross_entropy(outputs[..., 0], batch["y"]).mean()

    def scores(self, outputs, batch):
        return {"accuracy": measures.total(measures.bit_hits(outputs[..., 0], batch["y"]))}

    def baselines(self, data):
        return {"chance": 0.5}


class Fed(Batches):
    """The batches that data in memory give one seed, computed on the host."""

    def __init__(self, config: Config, seed: int):
        self.config, self.data, self.seed, self.step = config, config.task.open(), seed, 0

    def __next__(self) -> Batch:
        data: Any = self.data
        batch = next_batch(self.config, data, data.arrays, jax.random.key(self.seed), jnp.int32(self.step))
        self.step += 1
        return jax.tree.map(np.asarray, batch)

    def state(self) -> int:
        return self.step

    def restore(self, state: int) -> None:
        self.step = state


class FedData(HostData):
    """Data in memory as data from the host."""

    def __init__(self, config: Config):
        self.config, self.data = config, config.task.open()
        self.input_size, self.output_size = self.data.input_size, self.data.output_size

    @property
    def fingerprint(self) -> str:
        return self.data.fingerprint

    def held_out(self, part: Part) -> Iterator[Batch]:
        return self.data.held_out(part)

    def batches(self, size: int, seed: int) -> Fed:
        return Fed(self.config, seed)

    def segments(self, size: int) -> Fed:
        return Fed(self.config, 0)


CONFIG = Config(
    task=_Sign(), cell=cells.Elman(hidden_size=4), batch_size=4, steps=18, log_every=3, eval_every=6, lr=1e-2
)


def register(monkeypatch: pytest.MonkeyPatch) -> Config:
    """The configuration, with its task in the registry for one test: tests of all tasks are about data in memory."""
    monkeypatch.setitem(_FAMILIES["tasks"], "_Sign", _Sign)
    TAKEN.clear()
    FAIL_AT.clear()
    return CONFIG
