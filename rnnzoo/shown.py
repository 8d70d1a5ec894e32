"""Specifications in few words."""

import dataclasses

from rnnzoo.spec import Spec


def in_short(part: Spec) -> str:
    """A specification by its class and the fields that are not at their defaults: ``Banded(bandwidth=2)``."""
    fields = dataclasses.fields(part)  # pyright: ignore[reportArgumentType]
    given = [(f.name, getattr(part, f.name)) for f in fields if getattr(part, f.name) != f.default]
    said = ", ".join(f"{name}={in_short(v) if isinstance(v, Spec) else repr(v)}" for name, v in given)
    return f"{type(part).__name__}({said})" if said else type(part).__name__


__all__ = ["in_short"]
