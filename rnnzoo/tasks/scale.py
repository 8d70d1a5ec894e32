"""Features as numbers of standard deviations from their mean."""

import dataclasses

import numpy as np

from rnnzoo.typing import Float


@dataclasses.dataclass(frozen=True, eq=False)
class Scale:
    """The mean and the standard deviation of each feature, of the training part alone."""

    mean: Float[np.ndarray, " I"]
    std: Float[np.ndarray, " I"]
    """1 for a feature that does not change."""

    @classmethod
    def of(cls, rows: Float[np.ndarray, "N I"]) -> "Scale":
        """Of rows of features; NaN is left out. A feature that is nowhere has mean 0."""
        there = ~np.isnan(rows)
        number = np.maximum(there.sum(0), 1)
        mean = np.where(there, rows, 0).sum(0) / number
        std = np.sqrt((np.where(there, rows - mean, 0) ** 2).sum(0) / number)
        # What rounding leaves of a constant is no spread.
        return cls(mean, np.where(std > 1e-12 * np.maximum(abs(mean), 1e-300), std, 1.0))

    def __call__(self, values: Float[np.ndarray, "... I"]) -> Float[np.ndarray, "... I"]:
        return (values - self.mean) / self.std


__all__ = ["Scale"]
