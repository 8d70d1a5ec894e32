"""Bugs planted to see that they are found."""

import time
from typing import Any

from . import parsers

LONG, LARGE = 2.4, 2**30  # seconds, and bytes: more than an input may cost


class Planted(parsers.Text):
    """A parser with three bugs."""

    def seeds(self) -> list[bytes]:
        return [b"x"]

    def words(self) -> list[bytes]:
        return [b"b"]

    def read(self, data: bytes) -> Any:
        return read_planted(data)


def read_planted(data: bytes) -> Any:
    """Behind three conditions, so that only coverage leads there."""
    if data[:1] == b"b":
        if data[1:2] == b"u":
            if data[2:3] == b"g":
                return {}[0]
            if data[2:3] == b"s":
                began = time.process_time()
                while time.process_time() < began + LONG:
                    pass
            if data[2:3] == b"m":
                return bytes(bytearray(b"x") * LARGE)
    return None
