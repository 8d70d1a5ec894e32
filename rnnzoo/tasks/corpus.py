"""A text to learn from: read and checked once, split, and turned into the numbers of its characters."""

import dataclasses
import functools
import os
import stat

import numpy as np

from rnnzoo.spec import UsageError

LARGEST = 2**28  # bytes; the arrays made of a text take about ten times its size
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


@dataclasses.dataclass(frozen=True, eq=False)
class Corpus:
    """Token k is the k-th of `symbols`, the characters of the training text; the token after them is "unknown"."""

    name: str
    symbols: str  # in order of code point
    tokens: np.ndarray  # (N,) int32: the whole text

    def encode(self, text: str) -> np.ndarray:
        return _encode(self.symbols, text)

    def decode(self, tokens: np.ndarray) -> str:
        known = self.symbols + UNKNOWN
        return "".join(known[token] for token in tokens)

    @property
    def cuts(self) -> tuple[int, int]:
        """Where the training text (the first 90 %) ends, and where the test text (the last 5 %) begins."""
        return _cuts(len(self.tokens))


def corpus(path: str) -> Corpus:
    """The text of a file, or for "" that of pydoc_data.topics; read again only if the file has changed."""
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
    return _file(os.path.abspath(path), found.st_mtime_ns, found.st_size)


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


@functools.lru_cache(maxsize=4)
def _file(path: str, modified: int, size: int) -> Corpus:
    try:
        with open(path, "rb") as file:
            raw = file.read(LARGEST)
    except OSError as error:
        raise _refuse(path, error.strerror or str(error)) from None
    return _corpus(repr(path), decode_utf8(raw, path))


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
    return Corpus(name, symbols, _encode(symbols, text))


def _cuts(size: int) -> tuple[int, int]:
    return size * 90 // 100, size * 95 // 100


def _encode(symbols: str, text: str) -> np.ndarray:
    known, points = (np.frombuffer(t.encode("utf-32-le", "surrogatepass"), "<u4") for t in (symbols, text))
    places = np.searchsorted(known, points)
    found = np.append(known, 0)[places] == points  # beyond the last symbol there is nothing to equal
    return np.where(found, places, len(known)).astype(np.int32)


def _place(raw: bytes, offset: int) -> str:
    return f"byte {offset} (line {raw.count(bytes([10]), 0, offset) + 1})"


def _refuse(path: str, reason: str) -> UsageError:
    return UsageError(f"CharLM.path is {path!r}: {reason}; accepted: a text file in UTF-8, or '' for Python's own text")
