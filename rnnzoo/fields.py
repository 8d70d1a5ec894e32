"""The fields of specifications: which values each type accepts, and how error messages show values."""

import math
import reprlib
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LARGEST = 2**31 - 1  # of sizes and counts: JAX counts with 32 bits
LARGEST_SEED = 2**32 - 1  # that JAX and numpy both take


class _Brief(reprlib.Repr):
    """The values of error messages: a few hundred characters at most, whatever a file holds."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 200
        self.maxtuple = self.maxlist = 10

    def repr_int(self, x: int, level: int) -> str:
        """All digits of the integers that people write. Python refuses to print more than 4,300."""
        exponent = int(math.log10(abs(x))) if x else 0
        return repr(x) if exponent < 20 else f"about {'-' * (x < 0)}10^{exponent}"


brief = _Brief().repr
"""A value in an error message."""


@dataclass(frozen=True)
class Range:
    """The numbers that a field accepts: ``Annotated[int, Range(low=1)]``. The bounds themselves are accepted
    unless `open` is set. Whatever they are, integers have up to 64 bits, and other numbers are finite."""

    low: float = -math.inf
    high: float = math.inf
    open: bool = False

    def __contains__(self, value: float) -> bool:
        if self.open:
            return self.low < value < self.high
        return self.low <= value <= self.high

    def __str__(self) -> str:
        sign = "" if self.open else "="
        low = f">{sign} {brief(self.low)}" if self.low > -math.inf else ""
        high = f"<{sign} {brief(self.high)}" if self.high < math.inf else ""
        return " and ".join(filter(None, (low, high)))


Size = typing.Annotated[int, Range(low=1, high=LARGEST)]  # a number of things, at least one
Count = typing.Annotated[int, Range(low=0, high=LARGEST)]  # a number of things, possibly none
Positive = typing.Annotated[float, Range(low=0, open=True)]
NonNegative = typing.Annotated[float, Range(low=0)]
Seed = typing.Annotated[int, Range(low=0, high=LARGEST_SEED)]
Fraction = typing.Annotated[float, Range(low=0, high=1)]


def describe(hint: Any) -> str:
    """What a field of this type accepts, in words."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        ranges = [str(a) for a in args[1:] if isinstance(a, Range)]
        return " ".join(["an integer" if args[0] is int else describe(args[0]), *ranges])
    if origin is typing.Literal:
        return "one of " + ", ".join(map(repr, args))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(describe(a) for a in args)
    if origin is tuple:
        return f"a tuple of {describe(args[0])}"
    if origin is Mapping:
        return "a dict of them"
    if hint is type(None):
        return "None"
    if isinstance(hint, type) and hasattr(hint, "kind"):  # a family of specifications, which build on this module
        return f"a specification from rnnzoo.{hint.kind}"
    return {int: "an integer of up to 64 bits", float: "a finite number", str: "text", bool: "True or False"}.get(
        hint, str(hint)
    )


def accepts(hint: Any, value: Any) -> bool:
    """Whether a field of type `hint` accepts `value`. Strict: True is no integer, NaN and infinity are no numbers."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return accepts(args[0], value) and all(value in a for a in args[1:] if isinstance(a, Range))
    if origin is typing.Literal:
        return any(type(value) is type(a) and value == a for a in args)  # in this order: an array has no truth
    if origin in (typing.Union, types.UnionType):
        return any(accepts(a, value) for a in args)
    if origin is Mapping:
        return False  # what takes a dict has converted it by now: a specification holds none
    if origin is tuple:
        return isinstance(value, tuple) and all(accepts(args[0], v) for v in value)
    if hint is float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and -sys.float_info.max <= value <= sys.float_info.max  # NaN is not
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return isinstance(value, hint)


def kept(hint: Any, value: Any) -> Any:
    """An accepted value as the specification keeps it. An integer in a field of floats becomes a float: the two are
    equal, so that they share compiled programs, but arrays of them have different dtypes."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return kept(args[0], value)
    if origin in (typing.Union, types.UnionType):
        return kept(next(a for a in args if accepts(a, value)), value)
    if origin is tuple:
        return tuple(kept(args[0], v) for v in value)
    return float(value) if hint is float else value


__all__ = [
    "LARGEST",
    "LARGEST_SEED",
    "Count",
    "Fraction",
    "NonNegative",
    "Positive",
    "Range",
    "Seed",
    "Size",
    "accepts",
    "brief",
    "describe",
    "kept",
]
