"""What language models of characters, bytes and words have in common: loss, scores, and n-gram baselines."""

import abc

import numpy as np

from rnnzoo.spec import derived, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.text.ngrams import ngram_bits
from rnnzoo.tasks.text.tokens import Text
from rnnzoo.typing import Array, Float

COUNTED = 2**23  # tokens of the training text in which n-grams are counted, at most: its last ones


@spec
class LanguageModel(Task):
    """Predict the next token: x (T, B) tokens, y (T, B) the tokens one later.

    Training batches are random windows; with ``Config.stream``, consecutive ones: the text is cut into as many parts
    as the batch has sequences, and each part is read from beginning to end, then again (a remainder shorter than a
    window is left out). A held-out text is read in parallel streams of about 1,000 tokens, each from a fresh state,
    and every token is predicted exactly once. The baselines are n-grams counted in the training text (Witten-Bell;
    in the last 8,388,608 tokens of a longer one), with context across the borders of streams."""

    streams = True
    better = "lower"
    loss_unit = "nats"
    tokens = True
    of_bytes = derived(lambda self: False)
    """Whether tokens are the bytes of the text."""

    @abc.abstractmethod
    def open(self) -> Text: ...

    def loss(self, outputs: Float[Array, "T B O"], batch: Batch) -> Array:
        return measures.loss(measures.cross_entropy(outputs, batch["y"]), batch)

    def scores(self, outputs: Float[Array, "T B O"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        where = measures.counted(batch)
        return {
            self.metric: measures.total(measures.cross_entropy(outputs, batch["y"]) / np.log(2), where),
            "accuracy": measures.total(measures.class_hits(outputs, batch["y"]), where),
        }

    def baselines(self, data: Data) -> dict[str, float]:
        assert isinstance(data, Text)
        train, test = (np.asarray(data.arrays[part]) for part in ("train", "test"))
        bits = ngram_bits(train[-COUNTED:], test, data.input_size, order=3)
        return dict(zip(("unigram", "bigram", "trigram"), bits, strict=True))


__all__ = ["LanguageModel"]
