"""A text to learn from: read and checked, turned into the numbers of its characters, and split."""

import dataclasses
import functools
import os
import stat
from pathlib import Path

import numpy as np

from rnnzoo.disk import read_bytes
from rnnzoo.integers import check_integers
from rnnzoo.spec import UsageError

LARGEST = 2**28  # bytes; the arrays made of a text take about ten times its size
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


@dataclasses.dataclass(frozen=True, eq=False)
class Corpus:
    """A text. Token k is the k-th of `symbols`, the characters of the training text; the next one is "unknown"."""

    name: str
    symbols: str  # in order of code point
    tokens: np.ndarray  # (N,) int32: the whole text

    @property
    def parts(self) -> dict[str, np.ndarray]:
        """The first 90 %, the next 5 % and the last 5 %; the last two with the character before them."""
        validation, test = _cuts(len(self.tokens))
        return {
            "train": self.tokens[:validation],
            "validation": self.tokens[validation - 1 : test],
            "test": self.tokens[test - 1 :],
        }


def corpus(path: str) -> Corpus:
    """Read the text of a file, or for "" that of pydoc_data.topics."""
    if not path:
        return _topics()
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        raise _refuse(path, getattr(error, "strerror", None) or str(error)) from None
    if stat.S_ISDIR(found.st_mode):
        raise _refuse(path, "it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise _refuse(path, "it is not a regular file")
    if found.st_size > LARGEST:
        raise _refuse(path, f"it has {found.st_size} bytes, more than {LARGEST}")
    try:
        raw = read_bytes(Path(path), LARGEST)
    except UsageError as error:
        raise _refuse(path, str(error)) from None
    return _corpus(repr(path), decode_utf8(raw, path))


def encode(symbols: str, text: str) -> np.ndarray:
    """The tokens (N,) int32 of a text. `symbols` are in order of code point; any other character is "unknown"."""
    known, points = (np.frombuffer(t.encode("utf-32-le", "surrogatepass"), "<u4") for t in (symbols, text))
    places = np.searchsorted(known, points)
    found = np.append(known, 0)[places] == points  # beyond the last symbol there is nothing to equal
    return np.where(found, places, len(known)).astype(np.int32)


def decode(symbols: str, tokens: np.ndarray) -> str:
    """The text of tokens (N,)."""
    check_integers("tokens", np.asarray(tokens), 0, len(symbols))
    known = symbols + UNKNOWN
    return "".join(known[token] for token in tokens)


def check_length(text: Corpus, length: int) -> None:
    """Raise `UsageError` unless a training window of `length` + 1 characters fits."""
    needed = -(-(length + 1) * 100 // 90)
    if len(text.tokens) < needed:
        raise UsageError(
            f"CharLM: {text.name} has {len(text.tokens)} characters; CharLM.length={length} needs at least {needed}, "
            "since windows of length + 1 come from the first 90 %"
        )


def decode_utf8(raw: bytes, path: str) -> str:
    """The text of UTF-8, without a byte order mark and with one "\\n" for each line end."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refuse(path, f"{_place(raw, error.start)} is 0x{raw[error.start]:02x}, which is not UTF-8") from None
    if b"\0" in raw:  # UTF-16 without a mark, or a binary file: legal UTF-8, but no text
        raise _refuse(path, f"{_place(raw, raw.index(0))} is NUL, which no text holds")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text:
        raise _refuse(path, "it is empty")
    return text


@functools.cache
def _topics() -> Corpus:
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise UsageError(
            "CharLM.path is '', but this Python comes without pydoc_data; accepted: the path of a text file in UTF-8"
        ) from None
    return _corpus("the text of pydoc_data.topics", "".join(topics.values()))


def _corpus(name: str, text: str) -> Corpus:
    train = text[: _cuts(len(text))[0]]
    symbols = "".join(sorted(set(train)))
    return Corpus(name, symbols, encode(symbols, text))


def _cuts(size: int) -> tuple[int, int]:
    return size * 90 // 100, size * 95 // 100


def _place(raw: bytes, offset: int) -> str:
    ends = raw.count(b"\n", 0, offset) + raw.count(b"\r", 0, offset) - raw.count(b"\r\n", 0, offset)
    return f"byte {offset} (line {ends + 1})"


def _refuse(path: str, reason: str) -> UsageError:
    return UsageError(f"CharLM.path is {path!r}: {reason}; accepted: a text file in UTF-8, or '' for Python's own text")
