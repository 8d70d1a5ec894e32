"""What the fields of a specification mean, for `help`: the string under each in the source."""

import abc
import ast
import dataclasses
import functools
import inspect
import itertools
import sys
import textwrap
from typing import TypeVar

T = TypeVar("T")
HEADING = "Fields:"
_DOC = vars(type)["__doc__"]


class Documented(abc.ABCMeta):
    """Metaclass of specifications: `__doc__` is the text of the class, then its fields. It is made when it is read,
    since the source is parsed for it; and not before the class is `complete`, since `dataclasses` reads it."""

    def _text(cls) -> str | None:
        text = _DOC.__get__(cls, type(cls))
        return with_fields(cls, text) if text and "_complete" in vars(cls) else text

    def _set_text(cls, text: str | None) -> None:
        _DOC.__set__(cls, text)

    __doc__ = property(_text, _set_text)  # pyright: ignore[reportAssignmentType]


def complete(cls: type[T]) -> type[T]:
    """Say that a class has all its fields."""
    cls._complete = True  # pyright: ignore[reportAttributeAccessIssue]
    return cls


def with_fields(cls: type, text: str) -> str:
    """A docstring with a section on the fields of the class."""
    found = documented(cls)
    told = [field for field in dataclasses.fields(cls) if found.get(field.name)]  # pyright: ignore[reportArgumentType]
    if not told:
        return text
    lines = [f"{field.name}: {found[field.name]}" for field in told]
    filled = [textwrap.fill(line, 112, initial_indent=" " * 4, subsequent_indent=" " * 8) for line in lines]
    return "\n".join([inspect.cleandoc(text), "", HEADING, *filled])


def documented(cls: type) -> dict[str, str]:
    """Field name -> the string under it, of the class and its bases; the nearest class counts."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if dataclasses.is_dataclass(base):
            found |= _strings(base)
    return found


@functools.cache
def _strings(cls: type) -> dict[str, str]:
    """The strings under the annotated names of one class statement; {} where there is no source."""
    try:
        tree = _tree(inspect.getsource(sys.modules[cls.__module__]))
    except (OSError, KeyError, TypeError, SyntaxError):  # typed into a session, frozen, ...
        return {}
    body = next((n.body for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == cls.__name__), [])
    found = {}
    for field, below in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            if isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
                found[field.target.id] = " ".join(below.value.value.split())
    return found


@functools.lru_cache(maxsize=64)
def _tree(source: str) -> ast.Module:
    return ast.parse(source)


__all__ = ["HEADING", "Documented", "complete", "documented", "with_fields"]
