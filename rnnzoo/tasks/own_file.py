"""A file that a user names in a task's field `path`: read once, and refused with the name of the field."""

import dataclasses
import os
import stat
from pathlib import Path

from rnnzoo.disk import read_bytes
from rnnzoo.spec import UsageError

LARGEST = 2**28  # bytes; the arrays made of a text take about ten times its size


@dataclasses.dataclass(frozen=True)
class OwnFile:
    """The file of one task."""

    task: str
    """The name of the task, for messages."""
    path: str
    accepted: str
    """What the task can use, in words."""

    def refuse(self, reason: str) -> UsageError:
        """The error that says why this file cannot be used."""
        return UsageError(f"{self.task}.path is {self.path!r}: {reason}; accepted: {self.accepted}")

    def read(self) -> bytes:
        """The content of a regular file of up to `LARGEST` bytes; raises `UsageError` for anything else."""
        try:
            found = os.stat(self.path)
        except (OSError, ValueError) as error:  # ValueError: a name with a NUL
            raise self.refuse(getattr(error, "strerror", None) or str(error)) from None
        if stat.S_ISDIR(found.st_mode):
            raise self.refuse("it is a folder")
        if not stat.S_ISREG(found.st_mode):
            raise self.refuse("it is not a regular file")
        if found.st_size > LARGEST:
            raise self.refuse(f"it has {found.st_size} bytes, more than {LARGEST}")
        try:
            return read_bytes(Path(self.path), LARGEST)
        except UsageError as error:
            raise self.refuse(str(error)) from None

    def text(self) -> str:
        """The text of a file in UTF-8; see `decode`."""
        return self.decode(self.read())

    def decode(self, raw: bytes) -> str:
        """The text of UTF-8, without a byte order mark and with one "\\n" for each line end."""
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.refuse(f"{_place(raw, error.start)} is 0x{raw[error.start]:02x}, which is not UTF-8") from None
        if b"\0" in raw:  # UTF-16 without a mark, or a binary file: legal UTF-8, but no text
            raise self.refuse(f"{_place(raw, raw.index(0))} is NUL, which no text holds")
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        if not text:
            raise self.refuse("it is empty")
        return text


def _place(raw: bytes, offset: int) -> str:
    ends = raw.count(b"\n", 0, offset) + raw.count(b"\r", 0, offset) - raw.count(b"\r\n", 0, offset)
    return f"byte {offset} (line {ends + 1})"


__all__ = ["LARGEST", "OwnFile"]
