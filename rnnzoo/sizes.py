"""Cells of a given number of parameters, for comparisons that are fair."""

import dataclasses
from typing import Any

from rnnzoo.cells.base import Cell
from rnnzoo.spec import UsageError

LARGEST = 2**24  # hidden units


def match(cell: Cell, input_size: Any, params: int) -> Cell:
    """The cell with as many hidden units as bring it nearest to a number of parameters.

    Sizes that its structures do not accept are passed over: with blocks of 4, say, all that 4 does not divide.

    Args:
        cell: the cell; its own hidden_size plays no part.
        input_size: the size I of its inputs.
        params: the number of free parameters wanted, of one layer: ``cell.num_params(input_size)``.

    Raises:
        UsageError: no size comes within a factor of 2.
    """
    if isinstance(params, bool) or not isinstance(params, int) or params < 1:
        raise UsageError(f"match: params is {params!r}; accepted: a positive integer")
    below, above = None, _next(cell, 1)
    if above is None:
        raise UsageError(f"match: {cell} accepts no small hidden_size; accepted: smaller sizes in its structures")
    while above is not None and above.num_params(input_size) < params:  # doubling
        below, above = above, _next(cell, 2 * above.hidden_size)
    while below is not None and above is not None:  # bisection between sizes that fit
        middle = _next(cell, (below.hidden_size + above.hidden_size + 1) // 2)
        if middle is None or middle.hidden_size >= above.hidden_size:
            middle = _next(cell, below.hidden_size + 1)
            if middle is None or middle.hidden_size >= above.hidden_size:
                break
        below, above = (middle, above) if middle.num_params(input_size) < params else (below, middle)
    near = [c for c in (below, above) if c is not None]
    found = min(near, key=lambda c: (abs(c.num_params(input_size) - params), c.hidden_size))
    if not params / 2 <= (nearest := found.num_params(input_size)) <= 2 * params:
        raise UsageError(
            f"match: {cell} with inputs of size {input_size} has {nearest} parameters at the nearest hidden_size that "
            f"it accepts, {found.hidden_size}; accepted: params within a factor of 2 of that, here {params}"
        )
    return found


def resized(cell: Cell, size: int) -> Cell:
    """The cell with another number of hidden units, inside wrappers too."""
    inner = {f.name: resized(c, size) for f in dataclasses.fields(cell) if isinstance(c := getattr(cell, f.name), Cell)}
    return dataclasses.replace(cell, hidden_size=size, **inner)


def _next(cell: Cell, size: int) -> Cell | None:
    """The cell with the smallest hidden_size from `size` on that it accepts, if there is one up to twice that."""
    for tried in range(size, min(2 * size + 64, LARGEST)):
        try:
            return resized(cell, tried)
        except UsageError:
            continue
    return None


__all__ = ["match", "resized"]
