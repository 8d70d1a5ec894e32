"""What tasks have in common that name the class of a recording."""

import abc
import typing
from pathlib import Path
from typing import Literal

import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import UsageError, spec
from rnnzoo.tasks.classes import Classification, baselines_of, joined, moments, time_statistics
from rnnzoo.tasks.data import Data, Part, Sequences
from rnnzoo.tasks.sound.log_mel import log_mel
from rnnzoo.tasks.sound.wav import read_wav

Labels = dict[Part, list[tuple[Path, int]]]
"""Part -> the files, each with its class."""


@spec
class Recordings(Classification, abc.ABC):
    """The class of a recording, read after its last step: x (T, B, I), y (B,), ``lengths``.

    Features are standardised: of each one, the mean over all training frames is subtracted, and the rest divided by the
    standard deviation. All files have one rate; nothing is resampled. The baselines are the most frequent class, and
    the nearest class mean and least squares on the mean and the standard deviation of each feature over time."""

    view: Literal["log_mel", "raw"] = "log_mel"
    """log_mel: 26 log mel energies a step, of windows of 32 ms every 16 ms; raw: one sample a step."""

    needs_files = True

    @abc.abstractmethod
    def labels(self) -> tuple[tuple[str, ...], Labels]:
        """The names of the classes, and the files of each part, which are checked."""

    def open(self) -> Sequences:
        classes, labels = self.labels()
        series = self._features(labels)
        train = np.concatenate(series["train"])
        mean, deviation = moments(train, np.ones(train.shape, bool), 0)
        deviation = np.where(deviation > 0, deviation, 1)
        time = max(len(one) for part in series.values() for one in part)
        arrays = {
            part: joined([(one - mean) / deviation for one in found], time)
            | {"y": jnp.asarray([label for _, label in labels[part]], jnp.int32)}
            for part, found in series.items()
        }
        return Sequences(input_size=train.shape[1], output_size=len(classes), read="last", arrays=arrays)

    def _features(self, labels: Labels) -> dict[Part, list[np.ndarray]]:
        """Part -> features (T_i, I) of its files."""
        first: tuple[Path, int] | None = None
        found: dict[Part, list[np.ndarray]] = {part: [] for part in typing.get_args(Part)}
        for part, files in labels.items():
            for path, _ in files:
                rate, samples = read_wav(path)
                first = first or (path, rate)
                if rate != first[1]:
                    raise UsageError(
                        f"{path} has {rate:,} samples a second, {first[0]} has {first[1]:,}; accepted: one rate"
                    )
                found[part].append(log_mel(samples, rate) if self.view == "log_mel" else samples[:, None])
        return found

    def baselines(self, data: Data) -> dict[str, float]:
        assert isinstance(data, Sequences)
        train, test = ((time_statistics(data.arrays[p]), np.asarray(data.arrays[p]["y"])) for p in ("train", "test"))
        return baselines_of(train, test)


__all__ = ["Labels", "Recordings"]
