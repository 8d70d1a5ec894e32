"""Chrono initialization of gates (Tallec & Ollivier 2018, arXiv:1804.11188)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.spec import Range, UsageError
from rnnzoo.typing import Array, Float, Key

Chrono = Annotated[float, Range(low=2, open=True)]  # the same, for a gate whose shortest time is 2 steps
Longest = Annotated[float, Range(low=1, open=True)]  # the longest time that a cell has to bridge, in steps


def chrono(key: Key, size: int, longest: float) -> Float[Array, " H"]:
    """Biases log(uniform(1, longest)): a gate sigmoid(bias) forgets after as many steps as that uniform number."""
    return jnp.log(jax.random.uniform(key, (size,), minval=1.0, maxval=longest))


def key_and_chrono(key: Key, size: int, longest: float | None) -> tuple[Key, Float[Array, " H"] | None]:
    """A key for all other parameters, and biases of a gate that keeps the state, as the paper has them:
    log(uniform(1, longest - 1)), which forget after 2 to `longest` steps. Without `longest`, the same key and None."""
    if longest is None:
        return key, None
    key, own = jax.random.split(key)
    return key, chrono(own, size, longest - 1)


def needs_bias(cell: Cell, field: str, longest: float | None) -> None:
    """Raise `UsageError` if a cell without biases is told where they start."""
    if longest is not None and not cell.bias:
        raise UsageError(
            f"{type(cell).__name__}.{field} is {longest}, where biases start, and bias is False; accepted: None, "
            "or bias=True"
        )


__all__ = ["Chrono", "Longest", "chrono", "key_and_chrono", "needs_bias"]
