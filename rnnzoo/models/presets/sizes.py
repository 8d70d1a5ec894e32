"""What presets have in common: a cell with its stack, and sizes that follow from a width."""

import math
from typing import NamedTuple

from rnnzoo.cells.base import Cell
from rnnzoo.models.stack import Stack
from rnnzoo.spec import UsageError


class Preset(NamedTuple):
    """A cell, and how it is stacked."""

    cell: Cell
    stack: Stack


def check(*, width: int, layers: int, **sizes: int) -> None:
    """Raise `UsageError` for a size that is none; 0 stands for the usual one where there is one."""
    for name, value in {"width": width, "layers": layers}.items():
        if value < 1:
            raise UsageError(f"{name} is {value}; accepted: 1 or more")
    for name, value in sizes.items():
        if value < 0:
            raise UsageError(f"{name} is {value}; accepted: 1 or more, or 0 for the usual one")


def heads_for(width: int, each: int) -> int:
    """About one head for so many features; at least four features in each."""
    heads = max(1, width // each)
    while width % heads or (width // heads) % 4:
        if heads == 1:
            break
        heads -= 1
    return heads


def rounded_up(size: float, multiple: int) -> int:
    """The least multiple that is not below `size`."""
    if multiple < 1:
        raise UsageError(f"multiple is {multiple}; accepted: 1 or more")
    return math.ceil(size / multiple) * multiple


__all__ = ["Preset", "check", "heads_for", "rounded_up"]
