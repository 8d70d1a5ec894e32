"""Character language modelling of a text file, or of the text that comes with Python itself."""

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.base import Batch, Task
from rnnzoo.tasks.corpus import check_length, corpus
from rnnzoo.tasks.ngrams import ngram_bits
from rnnzoo.typing import Array, Float, Int, Key, PyTree

STREAM = 1000  # held-out characters read in one sequence, about
STREAMS = 64  # sequences in one held-out batch, at most


@spec
class CharLM(Task):
    """Predict the next character: x (T, B) tokens, y (T, B) the tokens one later.

    The text is cut where it stands: the first 90 % to train on, 5 % kept apart for tuning (`data["valid"]`;
    evaluate on it with ``held_out({**data, "test": data["valid"]})``), the last 5 % held out. Training batches
    are random windows; with ``Config.stream``, consecutive ones: the text is cut into as many parts as the batch
    has sequences, and each part is read from beginning to end (less than a window may be left over), then again.
    The held-out text is read in parallel streams of about 1,000 characters, each from a fresh state, and every
    character of it is predicted exactly once. Tokens are the characters of the training text, and one "unknown"
    for all others, which a model never meets in training and so pays for.

    Files are UTF-8; a byte order mark is dropped, line ends become "\\n", NUL is refused. The baselines are
    n-grams counted in the training text (Witten-Bell), with their whole context on the same characters.
    """

    path: str = ""
    """A text file in UTF-8; empty for the text of pydoc_data.topics, which differs between versions of Python."""
    length: Size = 64
    """Characters predicted in a training window."""

    streams = True
    metric = "bits_per_char"
    better = "lower"
    tokens = True

    @property
    def input_size(self) -> int:
        return len(self.symbols) + 1

    @property
    def output_size(self) -> int:
        return self.input_size

    @property
    def symbols(self) -> str:
        return corpus(self.path).symbols

    def encode(self, text: str) -> np.ndarray:
        """The tokens (N,) of a text."""
        return corpus(self.path).encode(text)

    def decode(self, tokens: np.ndarray) -> str:
        """The text of tokens (N,); "unknown" becomes the replacement character U+FFFD."""
        return corpus(self.path).decode(tokens)

    def load(self) -> PyTree:
        """{"train", "valid", "test"}, each (N,) int32. The last two begin with the character before them."""
        text = corpus(self.path)
        check_length(text, self.length)
        valid, test = text.cuts
        parts = {"train": text.tokens[:valid], "valid": text.tokens[valid - 1 : test], "test": text.tokens[test - 1 :]}
        return {name: jnp.asarray(part) for name, part in parts.items()}

    def differs(self, other: Task) -> str | None:
        if isinstance(other, CharLM) and other.symbols != self.symbols:
            return f"its tokens are the characters of {corpus(self.path).name}, not of {corpus(other.path).name}"
        return super().differs(other)

    def batch(self, data: PyTree, key: Key, size: int) -> Batch:
        starts = jax.random.randint(key, (size,), 0, len(data["train"]) - self.length, jnp.int32)
        window = data["train"][starts + jnp.arange(self.length + 1)[:, None]]
        return {"x": window[:-1], "y": window[1:]}

    def segment(self, data: PyTree, step: Int[Array, ""], size: int) -> Batch:
        targets = len(data["train"]) - 1
        part = targets // size
        if part < self.length:
            raise UsageError(
                f"CharLM: {targets} characters do not make {size} streams of at least {self.length}; "
                f"accepted: a batch of up to {targets // self.length}"
            )
        at = step % (part // self.length)
        starts = part * jnp.arange(size) + self.length * at
        window = data["train"][starts + jnp.arange(self.length + 1)[:, None]]
        first = (jnp.arange(self.length) == 0) & (at == 0)
        return {"x": window[:-1], "y": window[1:], "resets": jnp.broadcast_to(first[:, None], (self.length, size))}

    def held_out(self, data: PyTree) -> list[Batch]:
        text = np.asarray(data["test"])
        targets = len(text) - 1
        streams = -(-targets // STREAM)
        batches = -(-streams // STREAMS)
        size = -(-streams // batches)
        time = -(-targets // (size * batches))
        lengths = np.clip(targets - time * np.arange(batches * size), 0, time).reshape(batches, size)
        text = np.pad(text, (0, time * size * batches - targets))
        x, y = (part.reshape(batches, size, time).swapaxes(1, 2) for part in (text[:-1], text[1:]))
        return [
            {"x": jnp.asarray(x[i]), "y": jnp.asarray(y[i]), "lengths": jnp.asarray(lengths[i], jnp.int32)}
            for i in range(batches)
        ]

    def loss(self, outputs: Float[Array, "T B O"], batch: Batch) -> Array:
        return measures.mean(measures.cross_entropy(outputs, batch["y"]), measures.counted(batch))

    def scores(self, outputs: Float[Array, "T B O"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        where = measures.counted(batch)
        return {
            "bits_per_char": measures.total(measures.cross_entropy(outputs, batch["y"]) / np.log(2), where),
            "accuracy": measures.total(measures.class_hits(outputs, batch["y"]), where),
        }

    def baselines(self, data: PyTree) -> dict[str, float]:
        train, test = np.asarray(data["train"]), np.asarray(data["test"])
        bits = ngram_bits(train, test, self.input_size, order=3)
        return dict(zip(("unigram", "bigram", "trigram"), bits, strict=True))
