"""Tables of all members, made from the registry: those that `rnnzoo list` prints and those in docs/members.md."""

import fnmatch
import functools
import inspect
import re
import sys
from collections.abc import Callable
from typing import Any

from rnnzoo.cells.base import Affine, Cell
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.counts import nonzeros_of, state_size
from rnnzoo.spec import Spec, UsageError, members, suggest
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.tasks.base import Task
from rnnzoo.unrolls.base import Unroll
from rnnzoo.wrappers.base import Wrapper

NOTES = {
    "cells": "Kind: linear in a state of vectors, linear in one of matrices (memory), or nonlinear. Structures: those "
    "that its recurrent matrices take. State: numbers that one sequence carries. Params: all weights. In U: entries of "
    "recurrent or transition matrices that may differ from 0. Unrolls: those that run it, but not every cell.",
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


@_columns("year", "kind", "structures", "state", "params", "in U", "unrolls")
def _cell(cls: Any, size: int) -> tuple[str, ...]:
    cell: Cell = cls(hidden_size=size)
    counts = (state_size(cell, size), cell.num_params(size), nonzeros_of(cell))
    structures = "any" if cell.structures else "-"
    return (_year(cls), _kind(cell), structures, *(f"{count:,}" for count in counts), _unrolls(cell))


def _year(cls: type[Spec]) -> str:
    """The last year in the summary that is one of a paper."""
    years = re.findall(r"\b(?:19|20)\d\d\b(?![.\d])", summary(cls))
    return years[-1] if years else "-"


def _kind(cell: Cell) -> str:
    if isinstance(cell.recurrence, MatrixMemory):
        return "memory"
    return "linear" if isinstance(cell.recurrence, Affine) else "nonlinear"


def _unrolls(cell: Cell) -> str:
    """Unrolls that run the cell, but not every cell. CuDNN needs a device, and is not counted."""
    found = {n: u for n, u in _special_unrolls().items() if u.refuses(cell) is None}
    return ", ".join(found) or "-"


@functools.cache
def _special_unrolls() -> dict[str, Unroll]:
    """Those of ours that refuse some cell for what it is."""
    given: dict[str, Any] = {name: cls() for name, cls in members("unrolls").items() if _ours(cls)}
    plain = Elman(hidden_size=1)
    return {name: unroll for name, unroll in given.items() if unroll.refuses(plain) and name != "CuDNN"}


@_columns("default cell", "added params")
def _wrapper(cls: Any, size: int) -> tuple[str, ...]:
    wrapper: Wrapper = cls(hidden_size=size)
    added = wrapper.num_params(size) - wrapper.cell.num_params(size)
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
