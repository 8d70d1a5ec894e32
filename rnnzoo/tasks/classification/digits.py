"""Handwritten digits read as a sequence (Alpaydin and Kaynak, UCI 1998: 1,797 images of 8 x 8, in the package)."""

import functools
from pathlib import Path
from typing import Literal

import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import spec
from rnnzoo.tasks.classes import Classification, baselines_of
from rnnzoo.tasks.data import Data, Part, Sequences, fingerprint_of

FILE = Path(__file__).with_name("digits_data") / "digits.npz"  # with its licence beside it
TEST = 500  # images
VALIDATION = 20  # images of each class


@spec
class Digits(Classification):
    """The class of an image, read after its last row or pixel: x (T, B, I) in [0, 1], y (B,) in 0..9.

    The images are shuffled once, with a fixed seed: 500 for testing, 20 of each class for validation, 1,097 for
    training. (All parts have images by the same writers; the package does not say who wrote which.) The baselines
    see the whole image at once: the most frequent class, the nearest class mean, and linear least squares on pixels.
    """

    view: Literal["rows", "pixels"] = "rows"
    """rows: 8 steps of 8 pixels; pixels: 64 steps of one pixel."""
    permuted: bool = False
    """Put the 64 pixels into a fixed random order first, so that neighbours are far apart."""

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

    def baselines(self, data: Data) -> dict[str, float]:
        return baselines_of(_images(data, "train"), _images(data, "test"))


@functools.cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 64) in [0, 1] and labels (N,), shuffled. RandomState: its sequence is frozen by numpy's policy."""
    with np.load(FILE, allow_pickle=False) as found:
        images, labels = found["images"], found["labels"].astype(int)
    order = np.random.RandomState(0).permutation(len(labels))
    return images[order] / 16, labels[order]


def _images(data: Data, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, 64) and labels (N,)."""
    batches = list(data.held_out(part))
    x = np.concatenate([np.asarray(b["x"], np.float64).swapaxes(0, 1).reshape(b["x"].shape[1], -1) for b in batches])
    return x, np.concatenate([b["y"] for b in batches])
