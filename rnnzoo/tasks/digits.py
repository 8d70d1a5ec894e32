"""Handwritten digits read as a sequence (scikit-learn's `load_digits`: 1,797 images of 8 x 8, UCI 1998)."""

import functools
from typing import Literal

import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import UsageError, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Batch, Data, Part, Sequences, fingerprint_of
from rnnzoo.typing import Array, Float

TEST = 500  # images
VALIDATION = 20  # images of each class


@spec
class Digits(Task):
    """The class of an image, read after its last row or pixel: x (T, B, I) in [0, 1], y (B,) in 0..9.

    The images are shuffled once, with a fixed seed: 500 for testing, 20 of each class for validation, 1,097 for
    training. (All parts have images by the same writers; the package does not say who wrote which.) The baselines
    see the whole image at once: the most frequent class, the nearest class mean, and linear least squares on pixels.
    """

    view: Literal["rows", "pixels"] = "rows"
    """rows: 8 steps of 8 pixels; pixels: 64 steps of one pixel."""
    permuted: bool = False
    """Put the 64 pixels into a fixed random order first, so that neighbours are far apart."""

    metric = "accuracy"
    better = "higher"
    read = "last"

    def open(self) -> Sequences:
        images, labels = _digits()
        if self.permuted:
            images = images[:, np.random.RandomState(1).permutation(64)]
        size = 8 if self.view == "rows" else 1
        x = jnp.asarray(images.reshape(len(images), -1, size), jnp.result_type(float))
        y = jnp.asarray(labels, jnp.int32)
        rest = np.arange(TEST, len(labels))
        validation = np.sort(np.concatenate([rest[labels[rest] == digit][:VALIDATION] for digit in range(10)]))
        train = np.setdiff1d(rest, validation)
        rows = {"train": train, "validation": validation, "test": np.arange(TEST)}
        # The checksum is that of runs from before there was a validation part.
        whole = {"train": {"x": x[TEST:], "y": y[TEST:]}, "test": {"x": x[:TEST], "y": y[:TEST]}}
        return Sequences(
            input_size=size,
            output_size=10,
            read="last",
            arrays={part: {"x": x[at], "y": y[at]} for part, at in rows.items()},
            checksum=fingerprint_of(whole),
        )

    def loss(self, outputs: Float[Array, "B 10"], batch: Batch) -> Array:
        return measures.loss(measures.cross_entropy(outputs, batch["y"]), batch)

    def scores(self, outputs: Float[Array, "B 10"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        return {
            "accuracy": measures.total(measures.class_hits(outputs, batch["y"])),
            "cross_entropy": measures.total(measures.cross_entropy(outputs, batch["y"])),
        }

    def baselines(self, data: Data) -> dict[str, float]:
        (x, y), (x_test, y_test) = _images(data, "train"), _images(data, "test")
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


def _images(data: Data, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, 64) and labels (N,)."""
    batches = list(data.held_out(part))
    x = np.concatenate([np.asarray(b["x"], np.float64).swapaxes(0, 1).reshape(b["x"].shape[1], -1) for b in batches])
    return x, np.concatenate([b["y"] for b in batches])


def _with_ones(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)
