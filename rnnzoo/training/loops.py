"""The loop over updates between two log lines: one compiled program, or one call for each batch from the host."""

import abc
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.tasks.data import Batch, Batches, Data, HostData, InMemory, check_batch
from rnnzoo.training.config import Config
from rnnzoo.training.devices import SEEDS, shard
from rnnzoo.training.numbers import lanes_of, program_of
from rnnzoo.training.update import TrainState, next_batch, train_step, train_steps
from rnnzoo.typing import Array

Metrics = dict[str, Array]  # loss, grad_norm and good of each step, (S, length)


class TrainingLoop(abc.ABC):
    """Trains one model on one task's data."""

    def __init__(self, config: Config, model: Model):
        self.config, self.model, self.program = config, model, program_of(config)
        self.lanes = lanes_of(config)
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
        self.lanes = shard(self.lanes, mesh, SEEDS)

    @abc.abstractmethod
    def compile(self, state: TrainState, longest: int) -> None:
        """Compile what `run` needs for up to `longest` updates, unless that is done already."""

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
        self.compiled: Any = None
        self.longest = 0

    def example(self) -> Batch:
        draw = functools.partial(next_batch, self.config, self.data)
        return jax.eval_shape(draw, self.arrays, jax.random.key(0), np.int32(0))

    def trace(self, state: TrainState, length: int) -> None:
        steps = functools.partial(train_steps, self.program, self.model, self.data, length=length, mesh=self.mesh)
        jax.eval_shape(steps, self.arrays, *self.lanes, state, np.int32(0), np.int32(length))

    def use(self, mesh: Mesh | None) -> None:
        super().use(mesh)
        self.arrays = shard(self.arrays, mesh)

    def compile(self, state: TrainState, longest: int) -> None:
        if longest > self.longest:
            self.longest = longest
            args = (self.arrays, *self.lanes, state, np.int32(0), np.int32(longest))
            steps = train_steps.lower(self.program, self.model, self.data, *args, length=longest, mesh=self.mesh)
            self.compiled = steps.compile()

    def run(self, state: TrainState, start: int, length: int) -> tuple[TrainState, Metrics]:
        state, metrics = self.compiled(self.arrays, *self.lanes, state, np.int32(start), np.int32(length))
        # Cut on the host: each length would be another program on the device. Waits for the device.
        return state, jax.tree.map(lambda all_steps: np.asarray(all_steps)[:, :length], metrics)


class HostLoop(TrainingLoop):
    """One call for each update. The host reads the next batch while the device computes."""

    def __init__(self, config: Config, model: Model, data: HostData):
        super().__init__(config, model)
        self.data = data
        self.iterators = self._opened()
        first = self._opened()[0]  # a second one, so that those above stay at their beginning
        self.shapes = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), _next(first, 0))
        self.compiled: Any = None

    def _opened(self) -> list[Batches]:
        config = self.config
        seeds = range(config.seed, config.seed + config.seeds)
        if config.stream:
            return [self.data.segments(config.batch_size) for _ in seeds]
        return [self.data.batches(config.batch_size, seed) for seed in seeds]

    def example(self) -> Batch:
        return self.shapes

    def _example_of_all(self) -> Batch:
        return jax.tree.map(lambda a: jax.ShapeDtypeStruct((self.config.seeds, *a.shape), a.dtype), self.shapes)

    def trace(self, state: TrainState, length: int) -> None:
        step = functools.partial(train_step, self.program, self.model, mesh=self.mesh)
        jax.eval_shape(step, *self.lanes, state, np.int32(0), self._example_of_all())

    def compile(self, state: TrainState, longest: int) -> None:
        if self.compiled is None:
            args = (*self.lanes, state, np.int32(0), self._example_of_all())
            self.compiled = train_step.lower(self.program, self.model, *args, mesh=self.mesh).compile()

    def run(self, state: TrainState, start: int, length: int) -> tuple[TrainState, Metrics]:
        found = []
        for step in range(start, start + length):
            batches = [_next(it, step) for it in self.iterators]
            for batch in batches:
                check_batch(batch, self.model.input_size, self.model.tokens)
            batch = jax.tree.map(lambda *seeds: np.stack(seeds), *batches)
            self._check(batch, step)
            state, metrics = self.compiled(*self.lanes, state, np.int32(step), batch)
            found.append(metrics)
        return state, jax.tree.map(lambda *steps: jnp.stack(steps, 1), *found)

    def _check(self, batch: Batch, step: int) -> None:
        shapes = jax.tree.map(lambda a: (a.shape[1:], a.dtype), batch)
        expected = jax.tree.map(lambda a: (a.shape, a.dtype), self.shapes)
        if shapes != expected:
            raise UsageError(f"the batch of step {step} has {shapes}; accepted, as in the first batch: {expected}")

    def place(self) -> Any:
        return [iterator.state() for iterator in self.iterators]

    def restore(self, place: Any) -> None:
        if place is None or len(place) != len(self.iterators):
            raise UsageError("the checkpoint does not say where the training data were; accepted: a new --workdir")
        for iterator, state in zip(self.iterators, place, strict=True):
            iterator.restore(state)


def _next(iterator: Batches, step: int) -> Batch:
    try:
        return next(iterator)
    except StopIteration:
        raise UsageError(f"{type(iterator).__name__} ended at step {step}; accepted: an iterator without end") from None


def training_loop(config: Config, model: Model, data: Data) -> TrainingLoop:
    """The loop for that kind of data."""
    if isinstance(data, HostData):
        return HostLoop(config, model, data)
    assert isinstance(data, InMemory), f"{type(data).__name__} is neither InMemory nor HostData"
    return InMemoryLoop(config, model, data)


__all__ = ["TrainingLoop", "training_loop"]
