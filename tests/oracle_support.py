"""What the tests share that hold drawn sequences against plain Python."""

import functools
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

Sequence = dict[str, Any]


@functools.cache
def sample(task: Any, size: int = 300, held_out: bool = False) -> dict[str, np.ndarray]:
    """A random batch."""
    draw = task.draw_held_out if held_out else task.draw
    drawn = jax.jit(lambda key: draw(key, size))(jax.random.key(0))
    return jax.tree.map(np.asarray, drawn)


def each(batch: dict[str, np.ndarray]) -> Iterator[Sequence]:
    """The sequences of a batch one by one, as lists: `x` and `y` of the steps that there are, and their `mask`."""
    time, size = batch["x"].shape[:2]
    for b in range(size):
        length = int(batch["lengths"][b]) if "lengths" in batch else time
        found = {name: batch[name][:length, b].tolist() for name in ("x", "mask") if name in batch}
        found["y"] = batch["y"][b].tolist() if batch["y"].ndim == 1 else batch["y"][:length, b].tolist()
        found["rest"] = batch["x"][length:, b]
        yield found


def shares(values: Any, number: int) -> np.ndarray:
    """How often each of 0, 1, ... comes."""
    return np.bincount(np.ravel(values), minlength=number) / np.size(values)


def is_uniform(values: Any, number: int, slack: float = 5.0) -> bool:
    """Whether 0, ..., number - 1 come equally often, within some standard deviations."""
    deviation = (1 / number * (1 - 1 / number) / np.size(values)) ** 0.5
    return bool((np.abs(shares(values, number) - 1 / number) < slack * deviation).all())
