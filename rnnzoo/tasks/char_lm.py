"""Character language modelling of a text file, or of the text that comes with Python itself."""

import dataclasses
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.corpus import check_length, corpus, decode, encode
from rnnzoo.tasks.data import Batch, Data, InMemory, Part
from rnnzoo.tasks.ngrams import ngram_bits
from rnnzoo.typing import Array, Float, Int, Key, PyTree

STREAM = 1000  # characters of a held-out text in one sequence, about
STREAMS = 64  # sequences in one held-out batch, at most


@spec
class CharLM(Task):
    """Predict the next character: x (T, B) tokens, y (T, B) the tokens one later.

    The first 90 % of the text is for training, the next 5 % for validation, the last 5 % for testing. Training
    batches are random windows; with ``Config.stream``, consecutive ones: the text is cut into as many parts as the
    batch has sequences, and each part is read from beginning to end, then again (a remainder shorter than a
    window is left out). A held-out text is read in parallel streams of about 1,000 characters, each from a fresh
    state, and every character is predicted exactly once. Tokens are the characters of the training text, and one
    "unknown" for all others: a model never sees it in training, and predicts it badly.

    Files are UTF-8; a byte order mark is dropped, line ends become "\\n", NUL is refused. The baselines are
    n-grams counted in the training text (Witten-Bell). They predict the same characters, with context across the
    borders of streams.
    """

    path: str = ""
    """A text file in UTF-8; empty for the text of pydoc_data.topics, which differs between versions of Python."""
    length: Size = 64
    """Characters predicted in a training window."""

    streams = True
    metric = "bits_per_char"
    better = "lower"
    tokens = True

    def open(self) -> "Text":
        text = corpus(self.path)
        check_length(text, self.length)
        parts = {part: jnp.asarray(tokens) for part, tokens in text.parts.items()}
        return Text(symbols=text.symbols, length=self.length, arrays=parts)

    def loss(self, outputs: Float[Array, "T B O"], batch: Batch) -> Array:
        return measures.mean(measures.cross_entropy(outputs, batch["y"]), measures.counted(batch))

    def scores(self, outputs: Float[Array, "T B O"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        where = measures.counted(batch)
        return {
            "bits_per_char": measures.total(measures.cross_entropy(outputs, batch["y"]) / np.log(2), where),
            "accuracy": measures.total(measures.class_hits(outputs, batch["y"]), where),
        }

    def baselines(self, data: Data) -> dict[str, float]:
        assert isinstance(data, Text)
        bits = ngram_bits(np.asarray(data.arrays["train"]), np.asarray(data.arrays["test"]), data.input_size, order=3)
        return dict(zip(("unigram", "bigram", "trigram"), bits, strict=True))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Text(InMemory):
    """A text as token numbers, with the characters that they stand for."""

    symbols: str
    length: int
    arrays: dict[str, Array] = dataclasses.field(compare=False, repr=False)
    """Tokens (N,) of each part. Validation and test begin with the character before them."""

    @property
    def input_size(self) -> int:
        return len(self.symbols) + 1

    @property
    def output_size(self) -> int:
        return self.input_size

    def encode(self, text: str) -> np.ndarray:
        """The tokens (N,) of a text."""
        return encode(self.symbols, text)

    def decode(self, tokens: np.ndarray) -> str:
        """The text of tokens (N,); "unknown" becomes the replacement character U+FFFD."""
        return decode(self.symbols, tokens)

    def batch(self, arrays: PyTree, key: Key, size: int) -> Batch:
        text = arrays["train"]
        starts = jax.random.randint(key, (size,), 0, len(text) - self.length, jnp.int32)
        window = text[starts + jnp.arange(self.length + 1)[:, None]]
        return {"x": window[:-1], "y": window[1:]}

    def segment(self, arrays: PyTree, step: Int[Array, ""], size: int) -> Batch:
        targets = len(arrays["train"]) - 1
        part = targets // size
        if part < self.length:
            raise UsageError(
                f"CharLM: {targets} characters do not make {size} streams of at least {self.length}; "
                f"accepted: a batch of up to {targets // self.length}"
            )
        at = step % (part // self.length)
        starts = part * jnp.arange(size) + self.length * at
        window = arrays["train"][starts + jnp.arange(self.length + 1)[:, None]]
        first = (jnp.arange(self.length) == 0) & (at == 0)
        return {"x": window[:-1], "y": window[1:], "resets": jnp.broadcast_to(first[:, None], (self.length, size))}

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
            yield {"x": jnp.asarray(x[i]), "y": jnp.asarray(y[i]), "lengths": jnp.asarray(lengths[i], jnp.int32)}
