"""Tables of all members, made from the registry: those that `rnnzoo list` prints and those in docs/members.md."""

import fnmatch
import inspect
import sys
from collections.abc import Callable
from typing import Any

from rnnzoo.cells.base import Affine, Cell
from rnnzoo.counts import nonzeros_of, num_cell_params
from rnnzoo.spec import Spec, UsageError, members, suggest
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.tasks.base import Task
from rnnzoo.wrappers.base import Wrapper

NOTES = {
    "cells": 'Recurrence: "any U" takes every structure; "linear" is linear in the state and also runs in parallel '
    'over time (`Associative`); "fixed" has recurrent weights that are not structured. Params: all weights. In U: '
    "entries of recurrent or transition matrices that may differ from 0.",
    "wrappers": "A wrapper is a cell that changes another cell. Added params: the weights that it adds to its cell's.",
    "structures": "Nonzeros: entries of U that may differ from 0. Connectivity: the graph of U, which is none, self "
    "(only self-loops), cascade (no cycles but self-loops) or cyclic. Closed: the product of two such matrices has the "
    "structure too, so linear recurrences and Newton's method run in parallel over time at its cost.",
    "initializers": "How recurrent matrices are drawn before training (`cell.recurrent_init`).",
    "patterns": "Which units are connected, for `SparseMask` and `Masked`.",
    "unrolls": "How the states are computed over time.",
    "tasks": "Read: the steps whose outputs are scored.",
}
KINDS = tuple(NOTES)


def members_of(kind: str) -> dict[str, type[Spec]]:
    """Name -> class, of one of `KINDS`. Wrappers register as cells, and are a kind by themselves here.

    Raises:
        UsageError: another kind.
    """
    if kind not in KINDS:
        raise UsageError(f"no table of {kind!r}; {suggest(kind, KINDS)}")
    if kind not in ("cells", "wrappers"):
        return members(kind)
    return {n: c for n, c in members("cells").items() if issubclass(c, Wrapper) == (kind == "wrappers")}


def rows(kind: str, pattern: str = "*", size: int = 64) -> list[dict[str, str]]:
    """One row for each member of `kind` whose name matches the pattern ("*gru*"; case does not matter).

    Counts are for `size` hidden units and `size` inputs, and "-" where a member does not take that size."""
    matching = {n: c for n, c in members_of(kind).items() if fnmatch.fnmatch(n.lower(), pattern.lower())}
    return [_row(kind, name, cls, size) for name, cls in matching.items()]


def _row(kind: str, name: str, cls: type[Spec], size: int) -> dict[str, str]:
    columns = {"cells": _cell, "wrappers": _wrapper, "structures": _structure, "tasks": _task}.get(kind)
    return {"name": name, **(columns(cls, size) if columns else {}), "what": summary(cls)}


def _ours(cls: type[Spec]) -> bool:
    """Whether a member is the package's own, not one that other code has registered."""
    return cls.__module__.startswith("rnnzoo.")


def _columns(*head: str) -> Callable[[Callable[[Any, int], tuple[str, ...]]], Callable[[Any, int], dict[str, str]]]:
    """Names the columns that a function fills. Other code's members that need arguments or other sizes get "-"."""

    def named(fill: Callable[[Any, int], tuple[str, ...]]) -> Callable[[Any, int], dict[str, str]]:
        def row(cls: Any, size: int) -> dict[str, str]:
            try:
                return dict(zip(head, fill(cls, size), strict=True))
            except Exception:
                if _ours(cls):
                    raise
                return dict.fromkeys(head, "-")

        return row

    return named


@_columns("recurrence", "params", "in U")
def _cell(cls: Any, size: int) -> tuple[str, ...]:
    cell: Cell = cls(hidden_size=size)
    recurrence = "linear" if isinstance(cell.recurrence, Affine) else "any U" if cell.structures else "fixed"
    return recurrence, f"{num_cell_params(cell, size):,}", f"{nonzeros_of(cell):,}"


@_columns("default cell", "added params")
def _wrapper(cls: Any, size: int) -> tuple[str, ...]:
    wrapper: Wrapper = cls(hidden_size=size)
    added = num_cell_params(wrapper, size) - num_cell_params(wrapper.cell, size)
    return type(wrapper.cell).__name__, f"{added:,}"


@_columns("params", "nonzeros", "connectivity", "closed")
def _structure(cls: Any, size: int) -> tuple[str, ...]:
    structure: Structure = cls()
    try:
        structure.check(size)
    except UsageError:
        return "-", "-", structure.connectivity, "-"
    closed = "yes" if isinstance(structure, Algebra) else "no"
    return f"{structure.num_params(size):,}", f"{structure.nonzeros(size):,}", structure.connectivity, closed


@_columns("metric", "read")
def _task(cls: type[Task], size: int) -> tuple[str, ...]:
    return f"{cls.metric} ({cls.better} is better)", f"{cls.read} step"


def summary(cls: type[Spec]) -> str:
    """The first paragraph of a member's documentation: its module's, if the module defines this member alone and
    belongs to the package; else its class's."""
    module = cls.__module__
    alone = sum(c.__module__ == module for c in members(cls.kind).values()) == 1
    documented = sys.modules[module] if alone and _ours(cls) else cls
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split()).rstrip(".")


# ---- Markdown ----


def own(kind: str, size: int = 64) -> list[dict[str, str]]:
    """The rows of the package's own members, without those that other code has registered."""
    return [_row(kind, name, cls, size) for name, cls in members_of(kind).items() if _ours(cls)]


def counts() -> str:
    """How many members the package has of each kind, in words: "12 cells, 6 wrappers, ..."."""
    return ", ".join(f"{sum(map(_ours, members_of(kind).values()))} {kind}" for kind in KINDS)


def document(size: int = 64) -> str:
    """docs/members.md: the tables of the package's own members."""
    head = (
        "# Members\n\n<!-- Written by `python -m rnnzoo list --markdown > docs/members.md`. Do not edit. -->\n\n"
        f"{counts()}. Numbers of weights are for {size} hidden units and {size} inputs.\n"
        "Unit i *hears* unit j where U_ij may differ from 0."
    )
    return "\n\n".join(
        [head, *(f"## {kind.title()}\n\n{NOTES[kind]}\n\n{markdown(own(kind, size))}" for kind in KINDS)]
    )


def markdown(table: list[dict[str, str]]) -> str:
    """The table in Markdown."""
    head = list(table[0])
    lines = [head, ["---"] * len(head), *[list(row.values()) for row in table]]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


__all__ = ["KINDS", "counts", "document", "markdown", "members_of", "own", "rows", "summary"]
