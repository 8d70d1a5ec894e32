"""Weights as 8-bit integers with a scale for each row, or for each column where that loses less."""

from typing import NamedTuple

import numpy as np

FEWEST = 8  # entries that share a scale; fewer save nothing


class Rounded(NamedTuple):
    """An array as ``values * scale``, with one scale for each index of `axis`."""

    values: np.ndarray  # int8, from -127 to 127
    scale: np.ndarray  # float32 (array.shape[axis],)
    axis: int


def rounded(array: np.ndarray) -> Rounded | None:
    """A matrix in 8 bits, along the axis that loses least; None for what stays as it is: arrays of one axis, and
    other dtypes. The diagonals of a band are kept as (1, 1, H), and count as matrices.

    The largest entry of each row is 127 times its scale. States and sums stay float32."""
    if array.dtype != np.float32 or array.ndim < 2:
        return None
    axes = [k for k, size in enumerate(array.shape) if array.size >= FEWEST * size]
    found = [_along(array, axis) for axis in axes]
    return min(found, key=lambda r: float(np.square(restored(r) - array).sum()), default=None)


def _along(array: np.ndarray, axis: int) -> Rounded:
    others = tuple(k for k in range(array.ndim) if k != axis)
    largest = np.abs(array).max(others, keepdims=True)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return Rounded(np.clip(np.round(array / scale), -127, 127).astype(np.int8), scale.reshape(-1), axis)


def restored(r: Rounded) -> np.ndarray:
    """The array that 8 bits stand for."""
    shape = [-1 if k == r.axis else 1 for k in range(r.values.ndim)]
    return r.values * r.scale.reshape(shape)


__all__ = ["Rounded", "restored", "rounded"]
