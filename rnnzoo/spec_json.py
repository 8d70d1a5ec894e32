"""Specifications as JSON, and back. Reading only constructs registered members: it executes nothing."""

import dataclasses
import json
import typing
from typing import Any

from rnnzoo.spec import Spec, UsageError, field_types, find, suggest


def to_dict(value: Any) -> Any:
    """A specification as plain dicts, lists and scalars; ``"type"`` holds the member's public name."""
    if isinstance(value, Spec):
        fields = {f.name: to_dict(getattr(value, f.name)) for f in dataclasses.fields(typing.cast(Any, value))}
        return {"type": f"{value.kind}.{type(value).__name__}", **fields}
    return [to_dict(v) for v in value] if isinstance(value, tuple) else value


def from_dict(data: Any, where: str = "the specification") -> Any:
    """Inverse of `to_dict`. Raises `UsageError` that names the place, the value and what is accepted."""
    if isinstance(data, list):
        return tuple(from_dict(v, f"{where}[{i}]") for i, v in enumerate(data))
    if not isinstance(data, dict):
        return data
    kind, _, name = str(data.get("type")).partition(".")
    if not name:
        raise UsageError(f'{where} has "type": {data.get("type")!r}; accepted: a name such as "cells.LSTM"')
    cls = find(kind, name)
    known = field_types(cls)
    for field in data.keys() - {"type"} - known.keys():
        raise UsageError(f"{where}: {name} has no field {field!r}; {suggest(field, known)}")
    values = {k: from_dict(v, f"{where}.{k}") for k, v in data.items() if k != "type"}
    try:
        return cls(**values)
    except TypeError as error:  # a missing field
        raise UsageError(f"{where}: {error}") from None


def to_json(value: Spec, indent: int | None = None) -> str:
    """A specification as JSON text."""
    return json.dumps(to_dict(value), indent=indent, allow_nan=False)


def from_json(text: str) -> Any:
    """The specification that `to_json` wrote. Constructs registered members only; executes nothing."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UsageError(f"not a specification in JSON: {error}") from None
    if not isinstance(data, dict):
        raise UsageError(f'not a specification in JSON: {text[:40]!r}; accepted: an object with a "type"')
    try:
        return from_dict(data)
    except RecursionError:
        raise UsageError("not a specification in JSON: it is nested too deeply") from None


__all__ = ["from_dict", "from_json", "to_dict", "to_json"]
