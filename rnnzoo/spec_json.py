"""Specifications as JSON, and back. Reading only constructs registered members: it executes nothing."""

import dataclasses
import json
import typing
from collections.abc import Iterator
from typing import Any

from rnnzoo.disk import parse_json
from rnnzoo.spec import Spec, UsageError, brief, describe, field_types, find, suggest

DEEPEST = 100  # levels of specifications in one another


def to_dict(value: Any) -> Any:
    """A specification as plain dicts, lists and scalars; ``"type"`` holds the member's public name."""
    if isinstance(value, Spec):
        fields = {f.name: to_dict(getattr(value, f.name)) for f in dataclasses.fields(typing.cast(Any, value))}
        return {"type": f"{value.kind}.{type(value).__name__}", **fields}
    return [to_dict(v) for v in value] if isinstance(value, tuple) else value


Scalar = bool | int | float | str


def flattened(value: Spec, name: str = "") -> Iterator[tuple[str, Scalar, bool]]:
    """Each scalar of a specification with a name, and whether it is at its default: ``cell`` is the name of a member,
    ``cell.hidden_size`` one of its fields. None is left out, and what is empty."""
    for field in dataclasses.fields(typing.cast(Any, value)):
        part = getattr(value, field.name)
        yield from _flattened(part, f"{name}.{field.name}" if name else field.name, part == field.default)


def _flattened(part: Any, name: str, is_default: bool) -> Iterator[tuple[str, Scalar, bool]]:
    if isinstance(part, Spec):
        yield name, type(part).__name__, is_default
        yield from flattened(part, name)
    elif isinstance(part, tuple) and any(isinstance(item, Spec) for item in part):
        for n, item in enumerate(part):
            yield from _flattened(item, f"{name}.{n}", is_default)
    elif part is not None and part not in ("", ()):
        yield name, part if isinstance(part, Scalar) else ", ".join(map(str, part)), is_default


def from_dict(data: Any, where: str = "the specification") -> Any:
    """Inverse of `to_dict`. Raises `UsageError` that names the place, the value and what is accepted."""
    return _read(data, where, 0)


def _read(data: Any, where: str, depth: int) -> Any:
    if depth > DEEPEST:
        raise UsageError(f"a specification is nested too deeply; accepted: up to {DEEPEST} levels")
    if isinstance(data, list):
        return tuple(_read(v, f"{where}[{i}]", depth + 1) for i, v in enumerate(data))
    if not isinstance(data, dict):
        return data
    kind, _, name = member.partition(".") if isinstance(member := data.get("type"), str) else ("", "", "")
    if not name:
        raise UsageError(f'{where} has "type": {brief(member)}; accepted: a name such as "cells.LSTM"')
    cls = find(kind, name)
    known = field_types(cls)
    if strange := [field for field in data if field != "type" and field not in known]:
        raise UsageError(f"{where}: {name} has no field {brief(strange[0])}; {suggest(strange[0], known)}")
    fields = dataclasses.fields(typing.cast(Any, cls))
    if missing := [f.name for f in fields if f.default is dataclasses.MISSING and f.name not in data]:
        raise UsageError(f"{where}: {name} has no {missing[0]}; accepted: {describe(known[missing[0]])}")
    return cls(**{k: _read(v, f"{where}.{k}", depth + 1) for k, v in data.items() if k != "type"})


def to_json(value: Spec, indent: int | None = None) -> str:
    """A specification as JSON text."""
    return json.dumps(to_dict(value), indent=indent, allow_nan=False)


def from_json(text: str, where: str = "the specification") -> Any:
    """The specification that `to_json` wrote. Constructs registered members only; executes nothing.

    `where` is what errors call the text."""
    data = parse_json(text, where)
    if not isinstance(data, dict):
        raise UsageError(f'{where} is {brief(data)}; accepted: an object with a "type"')
    return from_dict(data)


__all__ = ["Scalar", "flattened", "from_dict", "from_json", "to_dict", "to_json"]
