"""Language modelling of the text files in a folder: characters, bytes or words."""

import collections
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Range, Size, UsageError, spec
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.own_file import OwnFile
from rnnzoo.tasks.text.corpus import encode, needed_for
from rnnzoo.tasks.text.language import LanguageModel
from rnnzoo.tasks.text.tokens import Text

PARTS = ("train", "validation", "test")
BYTES = 256


@spec
class TextFolder(LanguageModel):
    """Predict the next character, byte or word of text files: x (T, B) tokens, y (T, B) the tokens one later.

    `path` is a folder, or one file. A folder with the folders train, validation and test in it is split by them;
    everything else is one text, the files in order of their paths, of which the first 90 % are for training, the next
    5 % for validation, and the last 5 % for testing. See `LanguageModel` for windows, streams and baselines.

    Characters and words are UTF-8; a byte order mark is dropped, and line ends become "\\n". Characters are those of
    the training text and one "unknown". Words are what is between white space, and each end of a line is a word too, as
    is usual for PTB and WikiText; the `vocabulary` most frequent ones of the training text have tokens, and all others
    share one. Bytes are the content of the files as it is. `bits_per_token` is the headline; bits_per_char,
    bits_per_byte or perplexity say the same by the unit's usual name.
    """

    path: str = ""
    """A folder with text files, or a text file."""
    unit: Literal["character", "byte", "word"] = "character"
    """What a token is."""
    pattern: str = "*.txt"
    """Names of the files that are read, in the folder and all folders in it."""
    vocabulary: Annotated[int, Range(low=1, high=10**6)] = 10_000
    """Words with a token of their own, at most."""
    length: Size = 64
    """Tokens predicted in a training window."""

    metric = "bits_per_token"
    needs_files = True

    @property
    def of_bytes(self) -> bool:
        return self.unit == "byte"

    def open(self) -> Text:
        items = self._items()
        symbols = words = None
        if self.unit == "character":
            symbols = "".join(sorted(set(items["train"])))
            parts = {part: encode(symbols, text) for part, text in items.items()}
        elif self.unit == "word":
            words = frequent(items["train"], self.vocabulary)
            parts = {part: numbers(words, text) for part, text in items.items()}
        else:
            parts = {part: np.frombuffer(text, np.uint8) for part, text in items.items()}
        return Text(
            task="TextFolder",
            unit=self.unit,
            symbols=symbols,
            words=tuple(words or ()),
            tokens=BYTES if self.unit == "byte" else len(words) + 1 if words is not None else 0,
            length=self.length,
            arrays={part: jnp.asarray(tokens) for part, tokens in parts.items()},
        )

    def derived(self, scores: dict[str, float]) -> dict[str, float]:
        bits = scores["bits_per_token"]
        if self.unit == "word":
            with np.errstate(over="ignore"):
                return {"perplexity": float(np.exp2(bits))}
        return {"bits_per_char" if self.unit == "character" else "bits_per_byte": bits}

    def differs(self, other: Task) -> str | None:
        if isinstance(other, TextFolder) and self.unit != other.unit:
            return f"it was trained on {self.unit}s, not on {other.unit}s"
        words = (self.path, self.pattern, self.vocabulary)
        if (
            isinstance(other, TextFolder)
            and self.unit == "word"
            and words != (other.path, other.pattern, other.vocabulary)
        ):
            return f"its words are those of {self}, not of {other}"
        return super().differs(other)

    def _items(self) -> dict[str, Any]:
        """By part: the text, the bytes, or the list of words. Validation and test begin with the token before them."""
        folder = Path(self.path)
        found = [part for part in PARTS if self.path and (folder / part).is_dir()]
        if 0 < len(found) < len(PARTS):
            raise self._file.refuse(f"it has the folders {', '.join(found)}, but not all of {', '.join(PARTS)}")
        if found:
            items = {part: self._read(folder / part) for part in PARTS}
            least = {"train": self.length + 1, "validation": 2, "test": 2}
        else:
            whole = self._read(folder)
            a, b = len(whole) * 90 // 100, len(whole) * 95 // 100
            if len(whole) < (needed := max(needed_for(self.length), 40)):
                raise self._file.refuse(f"it has {len(whole)} {self.unit}s; length={self.length} needs {needed}")
            return {"train": whole[:a], "validation": whole[a - 1 : b], "test": whole[b - 1 :]}
        for part, number in least.items():
            if len(items[part]) < number:
                raise self._file.refuse(
                    f"its folder {part} has {len(items[part])} {self.unit}s; length={self.length} needs {number} there"
                )
        return items

    def _read(self, place: Path) -> Any:
        files = self._files(place)
        if self.unit == "byte":
            return b"".join(file.read() for file in files)
        text = "".join(file.text() for file in files)
        return text if self.unit == "character" else words_of(text)

    def _files(self, place: Path) -> list[OwnFile]:
        if not self.path:
            raise self._file.refuse("there is no path")
        if not place.is_dir():
            return [self._file]
        try:
            paths = sorted(path for path in place.rglob(self.pattern) if path.is_file())
        except (ValueError, NotImplementedError) as error:
            raise UsageError(
                f"TextFolder.pattern is {self.pattern!r}: {error}; accepted: names with * and ?, such as '*.txt'"
            ) from None
        if not paths:
            raise self._file.refuse(f"no file in {str(place)!r} is called {self.pattern!r} (TextFolder.pattern)")
        return [OwnFile("TextFolder", str(path), self._file.accepted) for path in paths]

    @property
    def _file(self) -> OwnFile:
        kind = "files" if self.unit == "byte" else "text files in UTF-8"
        return OwnFile("TextFolder", self.path, f"a folder with {kind}, or one such file")


def words_of(text: str) -> list[str]:
    """What is between white space, and "\\n" for each end of a line."""
    return [word for line in text.splitlines() for word in (*line.split(), "\n")]


def frequent(words: Sequence[str], number: int) -> list[str]:
    """The most frequent words, at most so many; of equally frequent ones, the first in order of code point."""
    counts = collections.Counter(words)
    return sorted(counts, key=lambda word: (-counts[word], word))[:number]


def numbers(known: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """The tokens (N,) int32 of words: their places in `known`, and the next number for all others."""
    places = {word: place for place, word in enumerate(known)}
    return np.array([places.get(word, len(known)) for word in words], np.int32)


__all__ = ["TextFolder"]
