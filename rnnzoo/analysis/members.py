"""Tables of all members, made from the registry: `rnnzoo list`, and the tables of the README."""

import fnmatch
import inspect
import sys
from typing import Any

from rnnzoo.cells.base import Affine, Cell
from rnnzoo.counts import nonzeros_of, num_cell_params
from rnnzoo.spec import Spec, UsageError, members
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.tasks.base import Task

KINDS = ("cells", "structures", "unrolls", "tasks")


def rows(kind: str, pattern: str = "*", size: int = 64) -> list[dict[str, str]]:
    """One row per member of a family whose name matches the pattern ("*gru*"; case does not matter).

    Counts are for `size` hidden units, and as many inputs."""
    if kind not in KINDS:
        raise UsageError(f"no table of {kind!r}; known: {', '.join(KINDS)}")
    describe = {"cells": _cell, "structures": _structure, "unrolls": _plain, "tasks": _task}[kind]
    wanted = {n: c for n, c in members(kind).items() if fnmatch.fnmatch(n.lower(), pattern.lower())}
    return [{"name": name, **describe(cls, size), "what": summary(cls)} for name, cls in wanted.items()]


def document() -> str:
    """The tables of the package's own members in Markdown, as they stand in the README."""
    parts = []
    for kind in KINDS:
        own = [row for row in rows(kind) if members(kind)[row["name"]].__module__.startswith("rnnzoo.")]
        parts.append(f"**{len(own)} {kind}**\n\n{markdown(own)}")
    return "\n\n".join(parts)


def summary(cls: type[Spec]) -> str:
    """The first sentence of the module that defines a member, or of its class."""
    text = inspect.getdoc(sys.modules[cls.__module__]) if cls.__module__.startswith("rnnzoo.") else inspect.getdoc(cls)
    return " ".join((text or "").split("\n\n")[0].split()).rstrip(".")


def _cell(cls: Any, size: int) -> dict[str, str]:
    cell: Cell = cls(hidden_size=size)
    linear = "linear" if isinstance(cell, Affine) else "any U" if cell.structures else "fixed"
    return {"recurrence": linear, "params": f"{num_cell_params(cell, size):,}", "in U": f"{nonzeros_of(cell):,}"}


def _structure(cls: Any, size: int) -> dict[str, str]:
    structure: Structure = cls()
    try:
        structure.check(size)
    except UsageError:
        return {"params": "-", "nonzeros": "-", "connectivity": structure.connectivity, "closed": "-"}
    return {
        "params": f"{structure.num_params(size):,}",
        "nonzeros": f"{structure.nonzeros(size):,}",
        "connectivity": structure.connectivity,
        "closed": "yes" if isinstance(structure, Algebra) else "no",
    }


def _task(cls: type[Task], size: int) -> dict[str, str]:
    return {"metric": f"{cls.metric} ({cls.better} is better)", "read": f"{cls.read} step"}


def _plain(cls: Any, size: int) -> dict[str, str]:
    return {}


def markdown(table: list[dict[str, str]]) -> str:
    """The table in Markdown."""
    head = list(table[0])
    lines = [head, ["---"] * len(head), *[list(row.values()) for row in table]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def show(kind: str, table: list[dict[str, str]], size: int) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    counts = f"; counts for {size} hidden units and {size} inputs" if kind in ("cells", "structures") else ""
    shown = Table(title=f"{len(table)} {kind}{counts}", title_justify="left")
    for name in table[0]:
        right = name in ("params", "in U", "nonzeros")
        shown.add_column(name, justify="right" if right else "left", no_wrap=name == "name", overflow="fold")
    for row in table:
        shown.add_row(*row.values())
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(shown)


__all__ = ["KINDS", "document", "markdown", "rows", "show", "summary"]
