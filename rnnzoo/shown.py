"""Specifications as text: as one would write them, with every field, or in few words."""

import dataclasses
from collections.abc import Callable, Container
from typing import Any


def as_written(part: Any, without: Container[str] = ()) -> str:
    """A specification as one would write it: ``Banded(bandwidth=2)``. Fields at their defaults are left out, and those
    named."""
    return _call(part, [(name, value) for name, value in _given(part) if name not in without], repr)


def in_full(value: Any) -> str:
    """A specification with every field, so that its text stays what it is when a default changes."""
    if isinstance(value, tuple):
        return f"({', '.join(map(in_full, value))}{',' * (len(value) == 1)})"
    if not dataclasses.is_dataclass(value):
        return repr(value)
    return _call(value, [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value) if f.repr], in_full)


def in_short(part: Any) -> str:
    """As `as_written`, but a class alone where every field is at its default: ``Dense``."""
    said = _call(part, _given(part), lambda v: in_short(v) if dataclasses.is_dataclass(v) else repr(v))
    return said.removesuffix("()")


def _call(part: Any, fields: list[tuple[str, Any]], show: Callable[[Any], str]) -> str:
    return f"{type(part).__name__}({', '.join(f'{name}={show(value)}' for name, value in fields)})"


def _given(part: Any) -> list[tuple[str, Any]]:
    shown = [(f, getattr(part, f.name)) for f in dataclasses.fields(part) if f.repr]
    return [(f.name, value) for f, value in shown if not _is_default(f, value)]


def _is_default(field: dataclasses.Field, value: Any) -> bool:
    """Whether a value is the field's default. ``True`` is not ``1``, and what does not compare is no default."""
    return type(value) is type(field.default) and bool(value == field.default)


__all__ = ["as_written", "in_full", "in_short"]
