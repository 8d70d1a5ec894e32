"""Files that may come from anywhere: read with a limit, written whole or not at all, never through a link."""

import json
import math
import os
import secrets
import stat
from pathlib import Path
from typing import Any

from rnnzoo.spec import UsageError

LARGEST = 2**28  # bytes of a text file
_BINARY = getattr(os, "O_BINARY", 0)  # Windows has text files of its own
_NOFOLLOW, _NONBLOCK = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)


# ---- reading ---------------------------------------------------------------------------------------------


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """A regular file of up to `largest` bytes.

    Raises:
        UsageError: anything else; the message names the file.
    """
    try:
        # Without O_NONBLOCK, opening a named pipe waits until somebody writes to it.
        with os.fdopen(os.open(path, os.O_RDONLY | _NONBLOCK | _BINARY), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UsageError(f"cannot read {path}: accepted: a regular file")
            content = file.read(largest + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if content is None:  # what looks like a file and has to be waited for, such as /proc/kmsg
        raise UsageError(f"cannot read {path}: it has no content yet; accepted: a regular file")
    if len(content) > largest:
        raise UsageError(f"{path} has more than {largest:,} bytes; accepted: up to that many")
    return content


def read_text(path: Path, largest: int = LARGEST) -> str:
    """A regular file of UTF-8 text, of up to `largest` bytes.

    Raises:
        UsageError: anything else; the message names the file.
    """
    try:
        return read_bytes(path, largest).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read {path}: {error}") from None


def read_json(path: Path, largest: int = LARGEST) -> Any:
    """What a JSON file holds, without duplicate names, infinity or NaN.

    Raises:
        UsageError: anything else; the message names the file.
    """
    return parse_json(read_text(path, largest), str(path))


def parse_json(text: str, where: str) -> Any:
    """What JSON text holds. Duplicate names, infinity, NaN, and numbers too long to read are refused.

    Raises:
        UsageError: it is not JSON; the message begins with `where`.
    """
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is not JSON: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} is there twice")
    return found


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text} is not a finite number")
    return value


# ---- writing ---------------------------------------------------------------------------------------------


def write_whole(path: Path, text: str | bytes) -> None:
    """Write a file so that a crash leaves the old one or the new one, whole. A link in its place is replaced."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with os.fdopen(
            os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY, 0o666), "wb"
        ) as f:
            f.write(text if isinstance(text, bytes) else text.encode("utf-8"))
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def append(path: Path, text: str) -> None:
    """Add text to the end of a regular file, which is made if it is not there. A link is refused (OSError)."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NOFOLLOW | _NONBLOCK | _BINARY
    with os.fdopen(os.open(path, flags, 0o666), "ab") as file:
        file.write(text.encode("utf-8"))


def is_temporary(name: str) -> bool:
    """Whether a file of that name is what a crash left of `write_whole`."""
    return name.startswith(".") and name.endswith(".tmp")


__all__ = ["LARGEST", "append", "is_temporary", "parse_json", "read_bytes", "read_json", "read_text", "write_whole"]
