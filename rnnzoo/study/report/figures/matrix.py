"""Small pictures of recurrent matrices, from the structure as a table writes it."""

import ast
from typing import Any

from rnnzoo.analysis.matrices import paint, random_member
from rnnzoo.spec import UsageError, find
from rnnzoo.structures.base import Structure


def structure_of(text: str) -> Structure | None:
    """The structure that ``Banded(bandwidth=1)`` stands for; None if the text is no such thing. Nothing is run but the
    structure's own checks."""
    try:
        made = _value(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, TypeError, LookupError, UsageError, RecursionError):
        return None
    return made if isinstance(made, Structure) else None


def _value(node: ast.expr) -> Any:
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    if not isinstance(node.func, ast.Name) or node.args:
        raise ValueError(ast.dump(node))
    return find("structures", node.func.id)(**{str(k.arg): _value(k.value) for k in node.keywords})


def draw_matrix(axes: Any, structure: Structure, size: int) -> None:
    """Draw a matrix before training: sign as colour, size as strength; entries that are always 0 are left blank."""
    paint(axes, random_member(structure, size, 0))
    axes.set_xticks([])
    axes.set_yticks([])


__all__ = ["draw_matrix", "structure_of"]
