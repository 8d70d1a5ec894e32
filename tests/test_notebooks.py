"""The notebooks of the documentation, as files and as programs. The site's build runs them in a kernel of their own."""

import ast
import json
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs" / "notebooks").glob("*.ipynb"))


def cells_of(path, kind="code"):
    return [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} >= {"start", "structures", "gallery"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_any_notebook_server_opens_it(path):
    """The parts that nbformat 4.5 requires, and nothing of a session."""
    notebook = json.loads(path.read_text("utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids) and all(0 < len(name) <= 64 for name in ids)
    for cell in notebook["cells"]:
        assert cell["cell_type"] in ("code", "markdown") and isinstance(cell["metadata"], dict)
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
    assert source(cells_of(path, "markdown")[0]).startswith("# ")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_plain_python_that_imports_what_exists(path):
    for cell in cells_of(path):
        for node in ast.walk(ast.parse(source(cell))):  # no magic commands
            if isinstance(node, ast.ImportFrom):
                exec(ast.unparse(node), {})


def run(tree: ast.Module, name: str, names: dict) -> Any:
    """Execute a cell; the value of its last line, as a notebook shows it."""
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        return exec(compile(tree, name, "exec"), names)
    exec(compile(ast.Module(tree.body[:-1], []), name, "exec"), names)
    return eval(compile(ast.Expression(last.value), name, "eval"), names)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for cell in cells_of(path):
        shown = run(ast.parse(source(cell)), cell["id"], names)
        described = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt")
        assert hasattr(shown, "_repr_svg_") == bool(described), f"{cell['id']}: a picture has an alt text"
        if described:
            xml.etree.ElementTree.fromstring(shown._repr_svg_())
