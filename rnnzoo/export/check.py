"""Compare an exported model with ours, on random input."""

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


def relative_error(found: Any, expected: Any, at_least: float = 1e-30) -> float:
    """The largest difference, divided by the largest expected value or by `at_least` if that is larger. Infinite if
    shapes differ."""
    found, expected = np.asarray(found, np.complex128), np.asarray(expected, np.complex128)  # states may be complex
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), at_least))


def require_float32(model: Model, format: str) -> None:
    """Raise `UsageError` for a model that computes in half precision."""
    for cell in (model.cell, *(block.cell for block in model.stack.pattern if block.cell is not None)):
        if cell.dtype not in (None, "float32"):
            name = type(cell).__name__
            raise UsageError(f"{format} cannot carry {name}.dtype = {cell.dtype!r}; accepted: None or 'float32'")


__all__ = ["random_input", "relative_error", "require_float32"]
