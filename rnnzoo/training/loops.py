"""The loop over updates between two log lines: one compiled program."""

import abc
import functools
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from rnnzoo.models import Model
from rnnzoo.tasks.data import Batch, Data, InMemory
from rnnzoo.training.config import Config
from rnnzoo.training.devices import shard
from rnnzoo.training.update import TrainState, next_batch, train_steps
from rnnzoo.typing import Array

Metrics = dict[str, Array]  # loss, grad_norm and good of each step, (S, length)


class TrainingLoop(abc.ABC):
    """Trains one model on one task's data."""

    def __init__(self, config: Config, model: Model):
        self.config, self.model = config, model
        self.mesh: Mesh | None = None

    @abc.abstractmethod
    def example(self) -> Batch:
        """The shapes of one seed's batch."""

    @abc.abstractmethod
    def trace(self, state: TrainState, length: int) -> None:
        """Trace `length` updates from the shapes of a state, to find what does not fit before anything is compiled."""

    def use(self, mesh: Mesh | None) -> None:
        """Train on the devices of this mesh from now on."""
        self.mesh = mesh

    @abc.abstractmethod
    def compile(self, state: TrainState, length: int) -> None:
        """Compile what `run` needs for `length` updates, unless that is done already."""

    @abc.abstractmethod
    def run(self, state: TrainState, start: int, length: int) -> tuple[TrainState, Metrics]:
        """Train for `length` updates from step `start` on."""

    def place(self) -> Any:
        """Where the training data are, as a JSON value to keep with a checkpoint; None where the step says it."""
        return None

    def restore(self, place: Any) -> None:  # noqa: B027
        """Go on from what `place` returned then."""


class InMemoryLoop(TrainingLoop):
    """All updates are one compiled loop, which draws its batches itself."""

    def __init__(self, config: Config, model: Model, data: InMemory):
        super().__init__(config, model)
        self.data, self.arrays = data.static, data.arrays
        self.compiled: dict[int, Any] = {}  # by length

    def example(self) -> Batch:
        draw = functools.partial(next_batch, self.config, self.data)
        return jax.eval_shape(draw, self.arrays, jax.random.key(0), np.int32(0))

    def trace(self, state: TrainState, length: int) -> None:
        steps = functools.partial(train_steps, self.config, self.model, self.data, length=length, mesh=self.mesh)
        jax.eval_shape(steps, self.arrays, state, np.int32(0))

    def use(self, mesh: Mesh | None) -> None:
        super().use(mesh)
        self.arrays = shard(self.arrays, mesh)

    def compile(self, state: TrainState, length: int) -> None:
        if length not in self.compiled:
            args = (self.config, self.model, self.data, self.arrays, state, np.int32(0))
            self.compiled[length] = train_steps.lower(*args, length=length, mesh=self.mesh).compile()

    def run(self, state: TrainState, start: int, length: int) -> tuple[TrainState, Metrics]:
        return self.compiled[length](self.arrays, state, np.int32(start))


def training_loop(config: Config, model: Model, data: Data) -> TrainingLoop:
    """The loop for that kind of data."""
    assert isinstance(data, InMemory), f"{type(data).__name__} is not InMemory"
    return InMemoryLoop(config, model, data)


__all__ = ["TrainingLoop", "training_loop"]
