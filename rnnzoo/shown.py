"""Specifications in few words."""

from rnnzoo.notebook import changed
from rnnzoo.spec import Spec


def in_short(part: Spec) -> str:
    """A specification by its class and the fields that are not at their defaults: ``Banded(bandwidth=2)``."""
    said = ", ".join(f"{name}={in_short(v) if isinstance(v, Spec) else repr(v)}" for name, v in changed(part).items())
    return f"{type(part).__name__}({said})" if said else type(part).__name__


__all__ = ["in_short"]
