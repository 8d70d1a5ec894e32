"""MNIST (LeCun et al. 1998) and Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747), read as sequences."""

import dataclasses
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import UsageError, spec
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.classes import Classification, baselines_of
from rnnzoo.tasks.classification.idx import parse_idx
from rnnzoo.tasks.data import Data, Sequences
from rnnzoo.tasks.files import DataFile, DataSet
from rnnzoo.typing import Array

SIDE = 28  # pixels
VALIDATION = 5000  # images of those for training
BASELINE = 10_000  # images that the baselines learn from

PARTS = {"train": "train", "test": "t10k"}
SIZES = {"train-images": 47_040_016, "train-labels": 60_008, "t10k-images": 7_840_016, "t10k-labels": 10_008}


def _files(checksums: dict[str, str]) -> tuple[DataFile, ...]:
    axes = {"images": 3, "labels": 1}
    names = {name: f"{name}-idx{axes[name.partition('-')[2]]}-ubyte.gz" for name in checksums}
    return tuple(DataFile(names[name], SIZES[name], checksum) for name, checksum in checksums.items())


SETS = {
    "mnist": DataSet(
        "MNIST",
        "mnist",
        _files(
            {
                "train-images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "train-labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "t10k-images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "t10k-labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            }
        ),
        licence="CC BY-SA 3.0, as commonly stated",
        source="https://ossci-datasets.s3.amazonaws.com/mnist, a copy of http://yann.lecun.com/exdb/mnist",
    ),
    "fashion": DataSet(
        "Fashion-MNIST",
        "fashion-mnist",
        _files(
            {
                "train-images": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "train-labels": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "t10k-images": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "t10k-labels": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            }
        ),
        licence="MIT",
        source="https://github.com/zalandoresearch/fashion-mnist, its folder data/fashion",
    ),
}


@spec
class MNIST(Classification):
    """The class of an image of 28 x 28 pixels, read after its last row or pixel: x (T, B, I) in [0, 1], y (B,) in 0..9.

    The 10,000 published test images are the test part. Of the 60,000 others, 5,000 are for validation, chosen once
    with a fixed seed. Pixels stay bytes on the device until a batch is made of them. The baselines see the whole image
    at once, and learn from the first 10,000 training images: the most frequent class, the nearest class mean, and
    linear least squares on pixels."""

    data: Literal["mnist", "fashion"] = "mnist"
    """mnist: handwritten digits; fashion: pictures of clothes, of the same size and number."""
    view: Literal["rows", "pixels"] = "rows"
    """rows: 28 steps of 28 pixels; pixels: 784 steps of one pixel."""
    permuted: bool = False
    """Put the 784 pixels into a fixed random order first, so that neighbours are far apart."""

    needs_files = True

    def open(self) -> "Images":
        (x, y), test = (_part(self.data, name) for name in PARTS.values())
        held_back = np.sort(np.random.RandomState(0).permutation(len(y))[:VALIDATION])
        train = np.setdiff1d(np.arange(len(y)), held_back)
        parts = {"train": (x[train], y[train]), "validation": (x[held_back], y[held_back]), "test": test}
        size = SIDE if self.view == "rows" else 1
        return Images(
            input_size=size,
            output_size=10,
            read="last",
            arrays={part: self._arrays(x, y, size) for part, (x, y) in parts.items()},
        )

    def _arrays(self, x: np.ndarray, y: np.ndarray, size: int) -> dict[str, Array]:
        if self.permuted:
            x = x[:, np.random.RandomState(1).permutation(SIDE * SIDE)]
        return {"x": jnp.asarray(x.reshape(len(x), -1, size)), "y": jnp.asarray(y, jnp.int32)}

    def differs(self, other: Task) -> str | None:
        if isinstance(other, MNIST) and other != self:
            return f"it was trained on {self}, not on {other}"
        return super().differs(other)

    def baselines(self, data: Data) -> dict[str, float]:
        assert isinstance(data, Images)
        (x, y), test = (_pixels(data.arrays[part]) for part in PARTS)
        return baselines_of((x[:BASELINE], y[:BASELINE]), test)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Images(Sequences):
    """Sequences of pixels, kept as bytes."""

    def _picked(self, part: dict[str, Any], rows: Any, steps: int | None = None) -> dict[str, Any]:
        batch = super()._picked(part, rows, steps)
        return {**batch, "x": batch["x"].astype(jnp.result_type(float)) / 255}


def _part(data: str, prefix: str) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (N, 784) and labels (N,) of one pair of files."""
    files = SETS[data]
    folder = files.folder_with_all()
    images, labels = (
        parse_idx(file.read(folder), str(file.at(folder)), (SIDE, SIDE) if "images" in file.name else ())
        for file in files.files
        if file.name.startswith(prefix)
    )
    where = f"{files.name} in {folder}: {prefix}"
    if len(images) != len(labels):
        raise UsageError(f"{where} has {len(images):,} images and {len(labels):,} labels; accepted: as many")
    if labels.max() > 9:
        row = int((labels > 9).argmax())
        raise UsageError(f"{where} label {row} is {labels[row]}; accepted: 0 to 9")
    return images.reshape(len(images), -1), labels


def _pixels(part: dict[str, Array]) -> tuple[np.ndarray, np.ndarray]:
    x = np.asarray(part["x"])
    return x.reshape(len(x), -1) / 255, np.asarray(part["y"])
