"""Counting languages, a^n b^n and a^n b^n c^n (Gers & Schmidhuber 2001). doi:10.1109/72.963769"""

import dataclasses
from typing import Literal

import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.tasks.data import Batch
from rnnzoo.tasks.synthetic.next_symbols import NextSymbols
from rnnzoo.tasks.synthetic.varied_lengths import VariedLengths, before, check_shortest
from rnnzoo.typing import Array, Int, Key


@spec
class AnBn(VariedLengths, NextSymbols):
    """n times a, as often b, and as often c if the language has it; after each symbol, which ones may follow.

    x (T, B) tokens: 0 the start, 1 a, 2 b, 3 c; T = P n + 1 for P = 2 or 3 letters. y (T, B, P + 1) of a, b, c and the
    end: a after the start; a or b after an a; then what the count leaves. Trained on n = 1..`length`, tested on larger
    ones only. Units that count without bound (LSTM, ReLU) can solve it for all n, saturated ones cannot (Weiss et al.
    2018, arXiv:1805.04908).
    """

    language: Literal["anbn", "anbncn"] = "anbn"
    """a^n b^n, or a^n b^n c^n."""
    length: Size = 16
    """Largest n of a training string; n is uniform in 1..length."""
    test_length: Size = 32
    """Largest n of a held-out string."""
    shortest_test: Size = 17
    """Smallest n of a held-out string; no larger than `test_length`."""

    held_out_sequences = 2**8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_shortest(self, self.shortest_test)

    @property
    def letters(self) -> int:
        """P."""
        return {"anbn": 2, "anbncn": 3}[self.language]

    @property
    def shortest_held_out(self) -> int:
        return self.shortest_test

    @property
    def input_size(self) -> int:
        return self.letters + 1

    @property
    def output_size(self) -> int:
        return self.letters + 1

    def longer(self, times: int) -> "AnBn":
        """Every n that `longer(times - 1)` does not reach: a single one would be a single string."""
        shortest, test_length = (times - 1) * self.length + 1, times * self.length
        return dataclasses.replace(self, shortest_test=shortest, test_length=test_length)

    def sequences(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> Batch:
        n, steps = lengths, jnp.arange(self.letters * longest + 1)[:, None]
        ended = before(self.letters * n + 1, len(steps))
        x = jnp.where(ended, (steps + n - 1) // n, 0).astype(jnp.int32)  # 0, then n times 1, 2, ...
        certain = steps // n  # the letter that comes next, counted from 0, or the end
        y = (certain[..., None] == jnp.arange(self.letters + 1)) | _either(steps, n, self.letters)
        return {"x": x, "y": y.astype(jnp.int32), "lengths": self.letters * n + 1}


def _either(steps: Array, n: Array, letters: int) -> Array:
    """After an a there may be another a, or a b: nothing has said yet what n is."""
    may_be = jnp.arange(letters + 1) < 2
    return ((steps >= 1) & (steps <= n))[..., None] & may_be
