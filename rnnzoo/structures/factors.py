"""Factors of the number of units, and the errors for numbers that do not have them."""

import math

from rnnzoo.spec import UsageError, brief
from rnnzoo.structures.base import Structure


def refuse(structure: Structure, size: int, accepted: str) -> UsageError:
    """The error for a size that no matrix of this structure has; `accepted` says what would fit."""
    return UsageError(f"{brief(structure)} does not fit hidden_size {size}; accepted: {accepted}")


def check_divides(structure: Structure, name: str, value: int, size: int) -> None:
    """Raise `UsageError`, with the divisors, if the field `name` does not divide `size`."""
    if size % value:
        near = sorted(divisors(size), key=lambda b: abs(math.log(b / value)))[:12]  # large sizes have a thousand
        *most, last = map(str, sorted(near))
        raise refuse(structure, size, f"{name} of {', '.join(most)} or {last}" if most else f"{name} of {last}")


def check_composite(structure: Structure, size: int) -> None:
    """Raise `UsageError` unless `size` is a product of two numbers above 1."""
    if halves(size)[0] == 1:
        raise refuse(structure, size, "hidden_size that is a product, such as 4, 6 or 64")


def check_power_of_two(structure: Structure, size: int) -> None:
    """Raise `UsageError` unless `size` is 2, 4, 8, ..."""
    if size < 2 or size & (size - 1):
        low = 1 << size.bit_length() - 1
        raise refuse(structure, size, f"a power of two, such as {low} or {2 * low}" if low > 1 else "a power of two")


def check_even(structure: Structure, size: int) -> None:
    """Raise `UsageError` if `size` is odd."""
    if size % 2:
        raise refuse(structure, size, f"an even number, such as {size - 1} or {size + 1}" if size > 1 else "2, 4, ...")


def divisors(size: int) -> list[int]:
    """All numbers that divide `size`, in order."""
    small = [n for n in range(1, math.isqrt(size) + 1) if size % n == 0]
    return small + [size // n for n in reversed(small) if n * n < size]


def halves(size: int) -> tuple[int, int]:
    """The two factors of `size` that are closest to each other, the smaller first."""
    small = next(n for n in range(math.isqrt(size), 0, -1) if size % n == 0)
    return small, size // small
