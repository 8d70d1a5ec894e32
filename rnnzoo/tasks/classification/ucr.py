"""The UCR and UEA archives of labelled time series (Dau et al. 2019, arXiv:1810.07758; Bagnall et al. 2018,
arXiv:1811.00075), from files in the .ts format."""

import re
from typing import Literal

import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Fraction, UsageError, brief, spec
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.classes import Classification, baselines_of, held_back, joined, moments, time_statistics
from rnnzoo.tasks.classification.ts_format import Labelled, named, parse_ts
from rnnzoo.tasks.data import Data, Sequences
from rnnzoo.tasks.files import DataFile, DataSet
from rnnzoo.typing import Array


@spec
class UCR(Classification):
    """The class of a time series, read after its last step: x (T, B, I), y (B,), and ``lengths`` if they differ.

    The archive's training file is for training and, a part of each class, for validation, chosen once with a fixed
    seed; its test file is the test part. Published numbers are of models that learned from the whole training file.
    Files are not held against checksums: the archives revise theirs, and a run knows its data by their fingerprint. The
    archive in the package aeon, if that is installed, is looked into as well.

    The baselines are the most frequent class; the nearest class mean and least squares on the mean and the standard
    deviation of each dimension over time; and the nearest training series, by Euclidean distance from the first step
    on."""

    name: str = "JapaneseVowels"
    """The data set: the files are ucr/NAME/NAME_TRAIN.ts and ucr/NAME/NAME_TEST.ts."""
    missing: Literal["zero", "last", "nan"] = "zero"
    """What a missing value becomes. zero: 0, after normalisation; last: the value before it, 0 if there is none; nan:
    NaN, for cells that know it, such as GRUD."""
    normalised: bool = True
    """Subtract the mean of each dimension over the training part, and divide by its standard deviation."""
    validation: Fraction = 0.2
    """Fraction of each class of the training file that is for validation; at least one series, and never all."""

    needs_files = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.name):
            raise UsageError(f"UCR.name is {brief(self.name)}; accepted: letters, digits, _ and -")

    def open(self) -> Sequences:
        train, test = self._files()
        validation = held_back(train.labels, self.validation)
        rest = np.setdiff1d(np.arange(len(train.labels)), validation)
        if not len(validation):
            raise UsageError(f"UCR {self.name} has one training series of each class; accepted: two of one class")
        mean, deviation = self._scale([train.series[row] for row in rest])
        parts = {"train": (train, rest), "validation": (train, validation), "test": (test, np.arange(len(test.labels)))}
        lengths = {len(one) for one in train.series + test.series}

        def arrays(file: Labelled, rows: np.ndarray) -> dict[str, Array]:
            series = [self._filled((file.series[row] - mean) / deviation) for row in rows]
            found = joined(series, max(lengths), len(lengths) > 1)
            return found | {"y": jnp.asarray(file.labels[rows], jnp.int32)}

        found = {part: arrays(*rows) for part, rows in parts.items()}
        return Sequences(input_size=train.series[0].shape[1], output_size=len(train.classes), read="last", arrays=found)

    def differs(self, other: Task) -> str | None:
        if isinstance(other, UCR) and other.name != self.name:
            return f"it was trained on {self.name}, not on {other.name}"
        return super().differs(other)

    def baselines(self, data: Data) -> dict[str, float]:
        assert isinstance(data, Sequences)
        (x, y), (x_test, y_test) = ((time_statistics(data.arrays[p]), np.asarray(data.arrays[p]["y"])) for p in _ENDS)
        flat, flat_test = (np.nan_to_num(data.arrays[p]["x"]).reshape(len(data.arrays[p]["x"]), -1) for p in _ENDS)
        nearest = ((flat**2).sum(1) - 2 * flat_test @ flat.T).argmin(1)
        return {
            **baselines_of((x, y), (x_test, y_test)),
            "nearest_neighbour": float((y[nearest] == y_test).mean()),
        }

    def _files(self) -> tuple[Labelled, Labelled]:
        """The training and the test file, which have as many dimensions and the same classes."""
        files = DataSet(
            self.name,
            f"ucr/{self.name}",
            (DataFile(f"{self.name}_TRAIN.ts"), DataFile(f"{self.name}_TEST.ts")),
            licence="that of the data set, stated at its source",
            source=f"https://www.timeseriesclassification.com/description.php?Dataset={self.name}",
            package=f"aeon/datasets/data/{self.name}",
        )
        folder = files.folder_with_all()
        train, test = (parse_ts(file.read(folder), str(file.at(folder))) for file in files.files)
        (first, second) = ((file.series[0].shape[1], file.classes) for file in (train, test))
        if first != second:
            raise UsageError(
                f"{folder}: the training file has {first[0]} dimensions and the classes {named(first[1])}, the "
                f"test file {second[0]} and {named(second[1])}; accepted: the same"
            )
        return train, test

    def _scale(self, series: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """What to subtract from a dimension, and what to divide it by."""
        if not self.normalised:
            return np.zeros(1), np.ones(1)
        values = np.concatenate(series)
        mean, deviation = moments(values, ~np.isnan(values), 0)
        return mean, np.where(deviation > 0, deviation, 1)

    def _filled(self, series: np.ndarray) -> np.ndarray:
        """A series (T, I) with something in place of missing values."""
        if self.missing == "nan":
            return series
        if self.missing == "last":
            last = np.maximum.accumulate(np.where(np.isnan(series), -1, np.arange(len(series))[:, None]), axis=0)
            series = np.where(last < 0, 0, np.take_along_axis(series, np.maximum(last, 0), axis=0))
        return np.nan_to_num(series)


_ENDS = ("train", "test")
