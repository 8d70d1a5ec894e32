"""Random input, and how far an exported model is from ours."""

from typing import Any

import numpy as np

from rnnzoo.models import Model
from rnnzoo.spec import UsageError


def random_input(model: Model, time: int, batch: int) -> np.ndarray:
    """Tokens (T, B) or vectors (T, B, I)."""
    random = np.random.default_rng(0)
    if model.tokens:
        return random.integers(0, model.input_size, (time, batch)).astype(np.int32)
    return random.normal(size=(time, batch, model.input_size)).astype(np.float32)


def difference(found: Any, expected: Any, at_least: float = 1e-30) -> float:
    """The largest difference, relative to the largest of what is expected or to `at_least`; infinite if the shapes
    differ."""
    found, expected = np.asarray(found, np.complex128), np.asarray(expected, np.complex128)  # states may be complex
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), at_least))


def check_single_precision(model: Model, what: str) -> None:
    """Raise `UsageError` for a model that computes in half precision."""
    if model.cell.dtype not in (None, "float32"):
        raise UsageError(f"{what} carries float32; {type(model.cell).__name__}.dtype is {model.cell.dtype!r}")


__all__ = ["check_single_precision", "difference", "random_input"]
