"""Handwritten digits read as a sequence (scikit-learn's `load_digits`: 1,797 images of 8 x 8, UCI 1998)."""

import functools
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import UsageError, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.base import Batch, Task
from rnnzoo.typing import Array, Float, Key, PyTree

HELD_OUT = 500  # images to evaluate on


@spec
class Digits(Task):
    """The class of an image, read after its last row or pixel: x (T, B, I) in [0, 1], y (B,) in 0..9.

    The images are shuffled once, with a fixed seed: 1,297 to train on, 500 held out. (Both hold images by the
    same writers; the package does not say who wrote which.) The baselines see the whole image at once:
    the commonest class, the nearest class mean, and linear least squares on the pixels.
    """

    view: Literal["rows", "pixels"] = "rows"
    """rows: 8 steps of 8 pixels; pixels: 64 steps of one pixel."""
    permuted: bool = False
    """Put the 64 pixels into a fixed random order first, so that neighbours are far apart."""

    metric = "accuracy"
    better = "higher"
    read = "last"

    @property
    def input_size(self) -> int:
        return 8 if self.view == "rows" else 1

    output_size = 10

    def load(self) -> PyTree:
        """{"train", "test"}, each {"x": (N, T, I), "y": (N,)}."""
        images, labels = _digits()
        if self.permuted:
            images = images[:, np.random.RandomState(1).permutation(64)]
        x = jnp.asarray(images.reshape(len(images), -1, self.input_size), jnp.result_type(float))
        y = jnp.asarray(labels, jnp.int32)
        return {"train": {"x": x[HELD_OUT:], "y": y[HELD_OUT:]}, "test": {"x": x[:HELD_OUT], "y": y[:HELD_OUT]}}

    def batch(self, data: PyTree, key: Key, size: int) -> Batch:
        chosen = jax.random.randint(key, (size,), 0, len(data["train"]["y"]), jnp.int32)
        return {"x": data["train"]["x"][chosen].swapaxes(0, 1), "y": data["train"]["y"][chosen]}

    def held_out(self, data: PyTree) -> list[Batch]:
        return [{"x": data["test"]["x"].swapaxes(0, 1), "y": data["test"]["y"]}]

    def loss(self, outputs: Float[Array, "B 10"], batch: Batch) -> Array:
        return measures.cross_entropy(outputs, batch["y"]).mean()

    def scores(self, outputs: Float[Array, "B 10"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        return {
            "accuracy": measures.total(measures.class_hits(outputs, batch["y"])),
            "cross_entropy": measures.total(measures.cross_entropy(outputs, batch["y"])),
        }

    def baselines(self, data: PyTree) -> dict[str, float]:
        x, y = _flat(data["train"]["x"]), np.asarray(data["train"]["y"])
        x_test, y_test = _flat(data["test"]["x"]), np.asarray(data["test"]["y"])
        one_hot = np.eye(10)[y]
        means = one_hot.T @ x / one_hot.sum(0)[:, None]
        distances = ((x_test[:, None] - means) ** 2).sum(-1)
        linear = np.linalg.lstsq(_with_ones(x), one_hot, rcond=None)[0]
        guesses = {
            "majority": one_hot.sum(0).argmax(),
            "nearest_mean": distances.argmin(1),
            "least_squares": (_with_ones(x_test) @ linear).argmax(1),
        }
        return {name: float((guess == y_test).mean()) for name, guess in guesses.items()}


@functools.cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 64) in [0, 1] and labels (N,), shuffled. RandomState: its sequence is frozen by numpy's policy."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise UsageError(
            f"Digits needs scikit-learn, which holds its images ({error}); install it with: pip install scikit-learn"
        ) from None
    images, labels = load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(labels))
    return np.asarray(images)[order] / 16, np.asarray(labels)[order]


def _flat(x: Array) -> np.ndarray:
    return np.asarray(x, np.float64).reshape(len(x), -1)


def _with_ones(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)
