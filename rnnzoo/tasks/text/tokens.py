"""The data of a language model: tokens in memory, cut into windows, streams and held-out sequences."""

import dataclasses
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import UsageError
from rnnzoo.tasks.data import Batch, InMemory, Part, fingerprint_of
from rnnzoo.tasks.text.corpus import decode, encode
from rnnzoo.typing import Array, Int, Key, PyTree

STREAM = 1000  # tokens of a held-out text in one sequence, about
STREAMS = 64  # sequences in one held-out batch, at most


@dataclasses.dataclass(frozen=True, kw_only=True)
class Text(InMemory):
    """A text as token numbers, with the characters that they stand for, if they are characters."""

    symbols: str | None = None
    length: int
    tokens: int = 0
    """How many different tokens there are; 0 for those of `symbols` and "unknown"."""
    task: str = "CharLM"
    unit: str = "character"
    """What a token is, in error messages."""
    arrays: dict[str, Array] = dataclasses.field(compare=False, repr=False)
    """Tokens (N,) of each part, of any integer type. Validation and test begin with the token before them."""
    words: tuple[str, ...] = dataclasses.field(default=(), compare=False, repr=False)
    """The words that tokens 0, 1, ... stand for, if they are words; one more stands for all others."""

    @property
    def input_size(self) -> int:
        return self.tokens or len(self.symbols or "") + 1

    @property
    def output_size(self) -> int:
        return self.input_size

    @property
    def fingerprint(self) -> str:
        if not self.words:
            return super().fingerprint
        return fingerprint_of((self.arrays, np.frombuffer("\n\n".join(self.words).encode(), np.uint8)))

    def encode(self, text: str) -> np.ndarray:
        """The tokens (N,) of a text of characters."""
        return encode(self._characters(), text)

    def decode(self, tokens: np.ndarray) -> str:
        """The text of tokens (N,) that are characters; "unknown" becomes the replacement character U+FFFD."""
        return decode(self._characters(), tokens)

    def _characters(self) -> str:
        if self.symbols is None:
            raise UsageError(f"{self.task}: its tokens are {self.unit}s; accepted: a task whose tokens are characters")
        return self.symbols

    def batch(self, arrays: PyTree, key: Key, size: int) -> Batch:
        text = arrays["train"]
        starts = jax.random.randint(key, (size,), 0, len(text) - self.length, jnp.int32)
        return _shifted(self._window(text, starts))

    def segment(self, arrays: PyTree, step: Int[Array, ""], size: int) -> Batch:
        targets = len(arrays["train"]) - 1
        part = targets // size
        if part < self.length:
            raise UsageError(
                f"{self.task}: {targets} {self.unit}s do not make {size} streams of at least {self.length}; "
                f"accepted: a batch of up to {targets // self.length}"
            )
        at = step % (part // self.length)
        window = self._window(arrays["train"], part * jnp.arange(size) + self.length * at)
        first = (jnp.arange(self.length) == 0) & (at == 0)
        return {**_shifted(window), "resets": jnp.broadcast_to(first[:, None], (self.length, size))}

    def _window(self, text: Array, starts: Int[Array, " B"]) -> Int[Array, "T B"]:
        """`length` + 1 tokens from each start on."""
        return text[starts + jnp.arange(self.length + 1)[:, None]].astype(jnp.int32)

    def held_out(self, part: Part) -> Iterator[Batch]:
        text = np.asarray(self.arrays[part])
        targets = len(text) - 1
        streams = -(-targets // STREAM)
        batches = -(-streams // STREAMS)
        size = -(-streams // batches)
        time = -(-targets // (size * batches))
        lengths = np.clip(targets - time * np.arange(batches * size), 0, time).reshape(batches, size)
        text = np.pad(text, (0, time * size * batches - targets))
        x, y = (a.reshape(batches, size, time).swapaxes(1, 2) for a in (text[:-1], text[1:]))
        for i in range(batches):
            tokens = {name: jnp.asarray(a[i], jnp.int32) for name, a in (("x", x), ("y", y))}
            yield {**tokens, "lengths": jnp.asarray(lengths[i], jnp.int32)}


def _shifted(window: Int[Array, "T B"]) -> Batch:
    return {"x": window[:-1], "y": window[1:]}


__all__ = ["Text"]
