"""Tasks that draw their sequences at random: nothing is stored, and training data never end."""

import abc
import dataclasses
import functools
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import jax

from rnnzoo.spec import required, spec
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import STEPS_PER_BATCH, Batch, InMemory, Part
from rnnzoo.typing import Key, PyTree

SEEDS: dict[Part, int] = {"train": 210113, "validation": 210112, "test": 210111}  # of the fixed sets


@spec
class Synthetic(Task):
    """A task whose sequences are drawn inside the jitted training step.

    Validation and test set are drawn too, from fixed keys of their own; "train" is a fixed sample of what is trained
    on. Sizes are class attributes, or properties computed from the fields."""

    input_size: ClassVar[int] = required()
    """See `Data.input_size`."""
    output_size: ClassVar[int] = required()
    """See `Data.output_size`."""
    held_out_sequences: ClassVar[int] = required()
    """Number of sequences in each fixed set, a power of two."""
    scaled: ClassVar[tuple[str, ...]] = ()
    """The fields that `longer` multiplies, to which the number of steps is in proportion; none for a fixed length."""

    def open(self) -> "Drawn":
        return Drawn(self)

    @abc.abstractmethod
    def draw(self, key: Key, size: int) -> Batch:
        """A random training batch of `size` sequences. Pure, and runs under `jit`."""

    def draw_held_out(self, key: Key, size: int) -> Batch:
        """A random batch to validate and test on; like `draw`, unless sequences are to be longer there, say."""
        return self.draw(key, size)

    def longer(self, times: int) -> Self | None:
        if not self.scaled:
            return None
        return dataclasses.replace(self, **{name: times * getattr(self, name) for name in self.scaled})


@dataclasses.dataclass(frozen=True)
class Drawn(InMemory):
    """The data of a synthetic task: the task, and no arrays."""

    task: Synthetic

    @property
    def arrays(self) -> dict[str, Any]:
        return {}

    @property
    def static(self) -> Self:
        return self

    @property
    def input_size(self) -> int:
        return self.task.input_size

    @property
    def output_size(self) -> int:
        return self.task.output_size

    def batch(self, arrays: PyTree, key: Key, size: int) -> Batch:
        return self.task.draw(key, size)

    def held_out(self, part: Part) -> Iterator[Batch]:
        """The same whatever generator the program has set as its default."""
        sequences, trained = self.task.held_out_sequences, part == "train"
        one = jax.eval_shape(functools.partial(_fixed, self.task, trained, 1), jax.random.key(0))
        fitting = max(1, STEPS_PER_BATCH // len(one["x"]))
        size = min(sequences, 2 ** (fitting.bit_length() - 1))  # a power of two, so that all batches have one shape
        key = jax.random.key(SEEDS[part], impl="threefry2x32")
        for k in jax.random.split(key, sequences // size):
            yield _fixed(self.task, trained, size, k)


@functools.partial(jax.jit, static_argnums=(0, 1, 2))  # equal tasks share the program
def _fixed(task: Synthetic, trained: bool, size: int, key: Key) -> Batch:
    return task.draw(key, size) if trained else task.draw_held_out(key, size)


__all__ = ["Drawn", "Synthetic"]
