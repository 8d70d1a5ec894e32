"""What the tests of tasks share: cached data, and networks that know all or nothing."""

import functools
from typing import Any

import jax
import numpy as np
import pytest

BATCH = jax.jit(lambda data, arrays, key, size: data.batch(arrays, key, size), static_argnums=(0, 3))
SCORES = jax.jit(lambda task, outputs, batch: task.scores(outputs, batch), static_argnums=0)
LOSS = jax.jit(jax.value_and_grad(lambda outputs, task, batch: task.loss(outputs, batch)), static_argnums=1)


def draw(task: Any, size: int = 6, seed: int = 0) -> Any:
    data = opened(task)
    return jax.tree.map(np.asarray, BATCH(data.static, data.arrays, jax.random.key(seed), size))


@functools.cache
def opened(task: Any) -> Any:
    return task.open()


@functools.cache
def held_out(task: Any, part: str = "test") -> Any:
    return jax.tree.map(np.asarray, list(opened(task).held_out(part)))


def network(config: Any) -> Any:
    """The network of a configuration, whose data it opens."""
    return config.network(opened(config.task))


def perfect(task: Any, batch: Any) -> np.ndarray:
    """The outputs of a network that knows the answers."""
    y = np.asarray(batch["y"])
    outputs = opened(task).output_size
    if y.ndim == 3:  # several answers a step
        return y if y.dtype.kind == "f" else (80 * y - 40).astype(np.float32)
    if y.dtype.kind == "f":
        return y if y.ndim == batch["x"].ndim else y[..., None]
    if outputs == 1:
        return (80 * y[..., None] - 40).astype(np.float32)
    return 40 * (y[..., None] == np.arange(outputs)).astype(np.float32)


def rough(task: Any, batch: Any, scale: float = 1.0) -> np.ndarray:
    """The outputs of a network that knows nothing."""
    return scale * np.random.RandomState(1).randn(*perfect(task, batch).shape).astype(np.float32)


def score(task: Any, batches: list[Any], predictor: Any) -> dict[str, float]:
    """Scores over batches, as the training loop adds them up."""
    parts = [SCORES(task, predictor(b), b) for b in batches]
    means = {n: sum(float(p[n][0]) for p in parts) / sum(float(p[n][1]) for p in parts) for n in parts[0]}
    return means | task.derived(means)


TEXT = "".join(f"line {n}, and {n * n} too\n" for n in range(300)) + "\u00e9\u4e2d!" * 30


@pytest.fixture
def text_file(tmp_path):
    """Writes a file and gives its path."""

    def write(content: str | bytes, name: str = "text.txt") -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write
