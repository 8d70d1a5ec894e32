"""A text to learn from: read and checked, turned into the numbers of its characters, and split."""

import dataclasses
import functools

import numpy as np

from rnnzoo.integers import check_integers
from rnnzoo.spec import UsageError
from rnnzoo.tasks.own_file import OwnFile

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
    accepted = "a text file in UTF-8, or '' for Python's own text"
    return corpus_of(repr(path), OwnFile("CharLM", path, accepted).text())


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
    needed = needed_for(length)
    if len(text.tokens) < needed:
        raise UsageError(
            f"CharLM: {text.name} has {len(text.tokens)} characters; CharLM.length={length} needs at least {needed}, "
            "since windows of length + 1 come from the first 90 %"
        )


def needed_for(length: int) -> int:
    """How many tokens make a training part, the first 90 %, with a window of `length` + 1."""
    return -(-(length + 1) * 100 // 90)


@functools.cache
def _topics() -> Corpus:
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise UsageError(
            "CharLM.path is '', but this Python comes without pydoc_data; accepted: the path of a text file in UTF-8"
        ) from None
    return corpus_of("the text of pydoc_data.topics", "".join(topics.values()))


def corpus_of(name: str, text: str) -> Corpus:
    """A text that has been read, called `name` in messages."""
    train = text[: _cuts(len(text))[0]]
    symbols = "".join(sorted(set(train)))
    return Corpus(name, symbols, encode(symbols, text))


def _cuts(size: int) -> tuple[int, int]:
    return size * 90 // 100, size * 95 // 100
