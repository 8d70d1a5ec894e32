"""Specifications as text: as one would write them, with every field, or in few words."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any


def changed(part: Any) -> dict[str, Any]:
    """Name -> value of the fields of a dataclass that are not at their defaults."""
    found = {}
    for field in dataclasses.fields(part):
        value, factory = getattr(part, field.name), field.default_factory
        default = field.default if factory is dataclasses.MISSING else factory()
        if value is not default and (default is dataclasses.MISSING or value != default):
            found[field.name] = value
    return found


def called(part: Any, fields: Mapping[str, Any], show: Callable[[Any], str] = repr) -> str:
    """The class of an object, called with these fields: ``Banded(bandwidth=2)``."""
    return f"{type(part).__name__}({', '.join(f'{name}={show(value)}' for name, value in fields.items())})"


def in_full(value: Any) -> str:
    """A specification with every field, so that its text stays what it is when a default changes."""
    if isinstance(value, tuple):
        return f"({', '.join(map(in_full, value))}{',' * (len(value) == 1)})"
    if not dataclasses.is_dataclass(value):
        return repr(value)
    return called(value, {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}, in_full)


def in_short(part: Any) -> str:
    """A specification without the fields that are at their defaults, and its class alone if all are: ``Dense``."""
    return called(part, changed(part), _short).removesuffix("()")


def _short(value: Any) -> str:
    return in_short(value) if dataclasses.is_dataclass(value) else repr(value)


__all__ = ["called", "changed", "in_full", "in_short"]
