"""Specifications: frozen dataclasses with checked fields, found by name.

Every cell, structure, unroll, task and run configuration is a `Spec`. A concrete subclass is registered by its class
statement alone, so that code outside the package adds members on equal terms. `rnnzoo.spec_json` writes and reads them.
"""

import dataclasses
import functools
import inspect
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar, dataclass_transform

from rnnzoo.construction import with_help
from rnnzoo.field_docs import Documented, complete
from rnnzoo.fields import (
    Count,
    Fraction,
    NonNegative,
    Positive,
    Range,
    Seed,
    Size,
    accepts,
    brief,
    describe,
    kept,
)  # fmt: skip
from rnnzoo.names import fold, suggest
from rnnzoo.notebook import tree
from rnnzoo.shown import called, changed
from rnnzoo.visible import visible

T = TypeVar("T")


class UsageError(ValueError):
    """The user's input cannot be used. The command line prints the message and exits with code 2."""

    def __init__(self, message: str = ""):
        super().__init__(visible(message))  # it may quote names from a file that somebody else has written


class UnknownMember(UsageError):
    """A family has no member of that name in this process."""


@functools.cache
def field_types(cls: type) -> dict[str, Any]:
    """Field name -> annotation, of a specification class."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls)}


# ---- facts -----------------------------------------------------------------------------------------------


class _Required:
    """Marks a class abstract in the eyes of `abc` until the name is overridden."""

    __isabstractmethod__ = True


def required() -> Any:
    """A fact that a concrete subclass states, by a class attribute or a property: ``name: ClassVar[T] = required()``.
    A class that lacks it is abstract."""
    return _Required()


def derived(function: Callable[[Any], Any]) -> Any:
    """A fact computed from the specification, which a subclass may replace by a class attribute or a property."""
    return property(function, doc=function.__doc__)


# ---- specifications --------------------------------------------------------------------------------------


@dataclass_transform(frozen_default=True, kw_only_default=True)
def spec(cls: type[T]) -> type[T]:
    """Class decorator: a frozen dataclass with keyword-only fields. It hashes and compares."""
    made = dataclasses.dataclass(frozen=True, kw_only=True, repr=False)(cls)
    made.__init__ = with_help(made.__init__, made)
    return complete(made)


class Spec(metaclass=Documented):
    """Base of every specification. ``class Structure(Spec, kind="structures")`` opens a family; a subclass without
    abstract methods is a member, known under its class name. Names that start with "_" are private."""

    kind: ClassVar[str]

    def __init_subclass__(cls, kind: str | None = None, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if kind is not None:
            cls.kind = kind
        if not cls.__name__.startswith("_"):
            _register(cls)

    def __post_init__(self) -> None:
        for name, hint in field_types(type(self)).items():
            if not accepts(hint, value := getattr(self, name)):
                raise UsageError(f"{type(self).__name__}.{name} is {brief(value)}; accepted: {describe(hint)}")
            object.__setattr__(self, name, kept(hint, value))

    def _told(self) -> dict[str, Any]:
        """Name -> value of the fields that one would write: those that are not at their defaults."""
        return changed(self)

    def __repr__(self) -> str:
        return called(self, self._told())

    def __treescope_repr__(self, path: str | None, subtree_renderer: Any) -> Any:
        return tree(self, self._told(), path, subtree_renderer, is_call=True)


_FAMILIES: dict[str, dict[str, type[Spec]]] = {}


def _register(cls: type[Spec]) -> None:
    family = _FAMILIES.setdefault(cls.kind, {})
    known = family.get(cls.__name__)
    if known is not None and not _is_same_statement(known, cls):
        places = [source_file(c) or c.__module__ for c in (known, cls)]
        raise UsageError(
            f"{cls.kind} already has a {cls.__name__} (from {places[0]}); give the one in {places[1]} another name"
        )
    family[cls.__name__] = cls


def _is_same_statement(one: type, other: type) -> bool:
    """Whether two classes come from one class statement that ran twice, as in a reloaded module or a notebook cell.
    A file may run under several module names: as a script, by import, and by its path."""
    file = source_file(one)
    same = one.__module__ == other.__module__ or (file is not None and file == source_file(other))
    return same and one.__qualname__ == other.__qualname__


def source_file(cls: type) -> Path | None:
    """The file that holds the class statement; None for a class typed into a notebook or an interactive session."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return Path(file).resolve() if file and Path(file).is_file() else None


def members(kind: str) -> dict[str, type[Spec]]:
    """Name -> class, of all concrete members of a family such as "cells", in order of name."""
    if kind not in _FAMILIES:
        raise UsageError(f"no family {brief(kind)}; {suggest(kind, _FAMILIES)}")
    return {n: c for n, c in sorted(_FAMILIES[kind].items()) if not inspect.isabstract(c)}


def find(kind: str, name: str) -> type[Spec]:
    """The class of that name; case, "-" and "_" do not matter. Raises `UnknownMember` with the nearest names."""
    known = members(kind)
    if name in known:
        return known[name]
    folded = {fold(n): c for n, c in known.items()}
    if fold(name) not in folded:
        raise UnknownMember(f"no {brief(name)} in {kind}; {suggest(name, known)}")
    return folded[fold(name)]


__all__ = [
    "Count", "Fraction", "NonNegative", "Positive", "Range", "Seed", "Size", "Spec", "UnknownMember", "UsageError",
    "accepts", "brief", "derived", "describe", "field_types", "find", "members", "required", "source_file", "spec",
    "suggest",
]  # fmt: skip
