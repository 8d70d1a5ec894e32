"""Synthetic tasks that are trained on short sequences of all lengths, and judged on longer ones."""

import abc
import dataclasses
from typing import Self

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.tasks.data import Batch
from rnnzoo.tasks.synthetic.drawn import Synthetic
from rnnzoo.typing import Array, Int, Key


@spec
class VariedLengths(Synthetic):
    """Training lengths are uniform in 1..length. Held-out sequences have `test_length`, or all lengths from
    `shortest_held_out` to `test_length` equally often."""

    length: Size = 16
    """Longest training sequence; the lengths are uniform in 1..length."""
    test_length: Size = 64
    """Length of the longest held-out sequences."""

    @property
    def shortest_held_out(self) -> int:
        """Length of the shortest held-out sequences."""
        return self.test_length

    @abc.abstractmethod
    def sequences(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> Batch:
        """A random batch of sequences of the given lengths, with room for `longest`."""

    def longer(self, times: int) -> Self:
        return dataclasses.replace(self, test_length=times * self.length)

    def draw(self, key: Key, size: int) -> Batch:
        key_sequences, key_lengths = jax.random.split(key)
        lengths = jax.random.randint(key_lengths, (size,), 1, self.length + 1, jnp.int32)
        return self.sequences(key_sequences, self.length, lengths)

    def draw_held_out(self, key: Key, size: int) -> Batch:
        low, high = self.shortest_held_out, self.test_length
        # Evenly spaced from a random start, so that over the batches each length has its share.
        start = jax.random.uniform(jax.random.fold_in(key, 1), (), jnp.float32)
        steps = (jnp.arange(size) + start) * ((high - low + 1) / size)
        lengths = jnp.minimum(low + steps.astype(jnp.int32), high)
        return self.sequences(key, high, lengths)


def before(lengths: Int[Array, " B"], time: int) -> Array:
    """Which of `time` steps each sequence has: bool (time, B)."""
    return jnp.arange(time)[:, None] < lengths


def check_shortest(task: VariedLengths, shortest: int) -> None:
    """Raise `UsageError` for a field `shortest_test` above `test_length`."""
    if shortest > task.test_length:
        name = type(task).__name__
        raise UsageError(f"{name}.shortest_test is {shortest}; accepted: up to test_length, here {task.test_length}")


__all__ = ["VariedLengths", "before", "check_shortest"]
