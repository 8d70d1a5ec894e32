"""The configurations that ``rnnzoo train NAME`` finds, as rows of a table."""

import ast
import contextlib
import fnmatch
from pathlib import Path

from rnnzoo.cells.base import Cell
from rnnzoo.disk import read_text
from rnnzoo.spec import UsageError
from rnnzoo.training.config import load_config
from rnnzoo.training.named import named_files, shipped


def rows(pattern: str = "*") -> list[dict[str, str]]:
    """One row for each configuration whose name matches the pattern. Of the files, only those that rnnzoo ships are
    run: to look at a list runs nobody else's code."""
    return [_row(name, file) for name, file in named_files().items() if fnmatch.fnmatch(name, pattern.lower())]


def _row(name: str, file: Path) -> dict[str, str]:
    task = cell = "-"
    if (ours := shipped()) is not None and file.resolve().parent == ours.resolve():
        config = load_config(str(file))
        task, cell = type(config.task).__name__, cell_in_words(config.cell)
    return {"name": name, "task": task, "cell": cell, "what": _summary(file)}


def _summary(file: Path) -> str:
    """The first paragraph of a file's docstring."""
    with contextlib.suppress(UsageError, SyntaxError, ValueError):
        return " ".join((ast.get_docstring(ast.parse(read_text(file))) or "").split("\n\n")[0].split())
    return ""


def cell_in_words(cell: Cell) -> str:
    """Such as "LSTM 16, Diagonal": the cell, its hidden units, and the structures of its recurrent matrices."""
    structures = dict.fromkeys(type(structure).__name__ for structure in cell.structures.values())
    return ", ".join([f"{type(cell).__name__} {cell.hidden_size}", *structures])


__all__ = ["cell_in_words", "rows"]
