"""The package imports one way: contracts below members, members below what runs them, Flax in its faces only."""

import ast
import functools
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "rnnzoo"

# Floors, from the ground up. A module may import its own floor and those below. The first pattern that fits counts.
FLOORS = [
    [
        "typing",
        "version",
        "visible",
        "fields",
        "field_docs",
        "names",
        "notebook",
        "construction",
        "spec",
        "shown",
        "spec_json",
        "trees",
        "jaxprs",
        "dependence",
        "disk",
        "drawing",
        "integers",
        "moved",
    ],
    ["structures.*", "tasks.*"],
    ["initializers.*"],
    ["cells.*"],
    ["wrappers.*"],
    ["unrolls.*"],
    ["arguments", "order", "run"],
    ["models.*"],
    ["counts", "sizes", "sharding", "flax_conventions", "linen", "nnx", "rtrl", "streaming"],
    ["training.*"],
    ["store.*", "analysis.*"],
    ["convert.*"],
    ["export.*"],
    ["page.*"],
    ["study.*"],
    ["result", "loggers.*", "run_report.*"],
    ["api", "sample"],
    ["commands.*"],
    ["base", "config", "__init__", "__main__"],
]
SEPARATE = [("structures.*", "tasks.*"), ("store.*", "analysis.*")]  # on one floor, and apart
FACES = ["linen", "nnx", "convert.flax"]


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or (pattern.endswith(".*") and (name + ".").startswith(pattern[:-1]))


def _floor(name: str) -> int:
    found = [floor for floor, patterns in enumerate(FLOORS) if any(_fits(name, p) for p in patterns)]
    assert found, f"rnnzoo.{name} has no floor: add it to FLOORS, or move it to a folder that has one"
    return found[0]


@functools.cache
def modules() -> dict[str, Path]:
    """Name under rnnzoo -> file."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return found


def _imports(path: Path) -> list[tuple[str, int, bool]]:
    """What a file imports: the module, the line, whether inside a function."""
    found = []

    def visit(node: ast.AST, inside: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend((alias.name, node.lineno, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative import"
            for alias in node.names:
                found.append((_module(f"{node.module}.{alias.name}") or str(node.module), node.lineno, inside))
        inside = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse(path.read_text()), False)
    return found


def _module(name: str) -> str | None:
    """The name if it is a module of the package."""
    return name if name.removeprefix("rnnzoo.") in modules() and name.startswith("rnnzoo.") else None


def edges() -> list[tuple[str, str, int, bool]]:
    """Importing module, imported module, line, inside a function; both names under rnnzoo."""
    found = []
    for name, path in modules().items():
        for target, line, inside in _imports(path):
            if target == "rnnzoo" or target.startswith("rnnzoo."):
                found.append((name, target.removeprefix("rnnzoo").removeprefix(".") or "__init__", line, inside))
    return found


def test_imports_point_down():
    wrong = [f"{a}:{line} imports {b}" for a, b, line, _ in edges() if _floor(b) > _floor(a)]
    for one, other in SEPARATE:
        for a, b, line, _ in edges():
            if (_fits(a, one) and _fits(b, other)) or (_fits(a, other) and _fits(b, one)):
                wrong.append(f"{a}:{line} imports {b}")
    assert not wrong


def test_there_is_no_circle():
    graph: dict[str, set[str]] = {}
    for a, b, _, _ in edges():
        if a not in ("__init__", "__main__"):
            graph.setdefault(a, set()).add(b)
    while leaves := [a for a, bs in graph.items() if not bs & graph.keys()]:
        for a in leaves:
            del graph[a]
    assert not graph, f"these import one another: {sorted(graph)}"


def test_only_commands_import_the_package_late():
    assert not [f"{a}:{line}" for a, _, line, inside in edges() if inside and not a.startswith("commands.")]


def test_flax_stays_in_its_faces():
    for name, path in modules().items():
        if name not in FACES:
            assert not [line for target, line, _ in _imports(path) if target.split(".")[0] == "flax"], name


@pytest.mark.parametrize("kind", ["structures", "initializers", "cells", "wrappers", "tasks"])
def test_unrolls_name_no_member_of_other_families(kind):
    """They know contracts: `Diagonal` and `Dense`, the smallest and the largest algebra, stand for themselves."""
    allowed = {"structures.diagonal", "structures.dense", "structures.partitioned"}
    for a, b, line, _ in edges():
        if (
            a.startswith("unrolls.")
            and b.startswith(f"{kind}.")
            and not re.fullmatch(rf"{kind}\.(base|histories|matrix_memory|noise|recur)", b)
        ):
            assert b in allowed, f"{a}:{line} imports {b}"


def test_old_import_paths_lead_to_the_new_ones_with_a_warning():
    import importlib
    import sys

    from rnnzoo.moved import MOVED

    for old, new in MOVED.items():
        sys.modules.pop(old, None)
        with pytest.warns(DeprecationWarning, match=f"{old} is now {new}"):
            module = importlib.import_module(old)
        assert module is importlib.import_module(new) and getattr(module.__spec__, "name", None) == new
