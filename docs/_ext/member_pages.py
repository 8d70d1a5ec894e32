"""A page for each member of every kind, made from the registry when the site is built."""

import inspect
import shutil
import sys
from pathlib import Path
from typing import Any

from rnnzoo.analysis import members, step_diagram
from rnnzoo.analysis.matrices import draw_structure
from rnnzoo.cells.base import Cell
from rnnzoo.spec import UsageError

FOLDER = "_members"
SIZE, INPUTS = 16, 8
TITLES = {
    "cells": "Cells", "wrappers": "Wrappers", "structures": "Structures", "initializers": "Initializers",
    "patterns": "Patterns", "unrolls": "Unrolls", "tasks": "Tasks",
}  # fmt: skip


def generate(app: Any) -> None:
    """Write all pages into a folder that git ignores. A page that would be the same is left as it is."""
    root = Path(app.srcdir) / FOLDER
    for kind in members.KINDS:
        rows = {row["name"]: row for row in members.rows(kind)}
        for name, cls in members.members_of(kind).items():
            _write(root / kind / f"{name}.md", _page(kind, name, cls, rows[name], root / kind))
        _write(root / f"{kind}.md", _index(kind, rows))


def _index(kind: str, rows: dict[str, dict[str, str]]) -> str:
    lines = [f"# {TITLES[kind]}", "", members.NOTES[kind], "", "| | |", "| --- | --- |"]
    lines += [
        f"| [{name}]({kind}/{name}.md) | {row['what'].replace('|', chr(92) + '|')} |" for name, row in rows.items()
    ]
    lines += ["", "```{toctree}", ":hidden:", "", *(f"{kind}/{name}" for name in rows), "```", ""]
    return "\n".join(lines)


def _page(kind: str, name: str, cls: type, row: dict[str, str], folder: Path) -> str:
    source = inspect.cleandoc(sys.modules[cls.__module__].__doc__ or "")
    lines = [f"# {name}", "", source, "", "```{eval-rst}", f".. autoclass:: rnnzoo.{_package(kind)}.{name}"]
    lines += ["   :members:", "   :inherited-members:", f"   :exclude-members: {', '.join(_methods(cls))}", "```", ""]
    facts = {key: value for key, value in row.items() if key not in ("name", "what") and value not in ("", "-")}
    lines += [
        "| | |",
        "| --- | --- |",
        *(f"| {key} | {value.replace('|', chr(92) + '|')} |" for key, value in facts.items()),
    ]
    lines += ["", *_more(kind, name, cls, folder)]
    return "\n".join([*lines, ""])


def _package(kind: str) -> str:
    """The module of `rnnzoo` that has the members of a kind."""
    return "structures.patterns" if kind == "patterns" else kind


def _methods(cls: type) -> list[str]:
    """What a member's page leaves out: how it is computed is in the source, and the same for all of a family."""
    return sorted(
        name
        for name in dir(cls)
        if not name.startswith("_")
        and (callable(getattr(cls, name, None)) or isinstance(getattr(cls, name, None), property))
    )


def _more(kind: str, name: str, cls: Any, folder: Path) -> list[str]:
    """The diagram of a step, or the picture of a matrix."""
    try:
        if kind == "cells":
            cell: Cell = cls(hidden_size=SIZE)
            lines = ["## Use", "", "```python", f"cell = rnnzoo.cells.{name}(hidden_size={SIZE})"]
            lines += [f"params = cell.init(jax.random.key(0), input_size={INPUTS})"]
            lines += ["ys, last = rnnzoo.run(cell, params, xs)  # xs: time, batch, features", "```", ""]
            lines += ["## A step", "", f"With {SIZE} units and {INPUTS} inputs:", ""]
            return [*lines, "```text", *step_diagram.diagram(cell, INPUTS), "```"]
        if kind == "structures":
            cls().check(32)
            picture = folder / f"{name}.png"
            if not picture.is_file():
                picture.parent.mkdir(parents=True, exist_ok=True)
                draw_structure(cls(), 32, picture, 0)
            return [
                "## A matrix of 32 units",
                "",
                f"![A random matrix, its eigenvalues and singular values]({name}.png)",
            ]
    except (UsageError, TypeError) as error:  # a member that has no default size
        print(f"{kind}/{name}: no picture: {error}")
    return []


def _write(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text("utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def copy_answer(app: Any, error: Exception | None) -> None:
    """The page of the study stands beside the others as it is."""
    if error is None:
        shutil.copytree(Path(app.srcdir) / "answer", Path(app.outdir) / "answer", dirs_exist_ok=True)


def setup(app: Any) -> dict[str, Any]:
    """What Sphinx calls."""
    app.connect("builder-inited", generate)
    app.connect("build-finished", copy_answer)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
