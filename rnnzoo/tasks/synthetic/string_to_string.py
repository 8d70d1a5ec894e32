"""What the tasks share that answer a string with a string."""

import abc
from typing import ClassVar

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.tasks.data import Batch
from rnnzoo.tasks.synthetic.classified import Classified
from rnnzoo.tasks.synthetic.varied_lengths import VariedLengths, before
from rnnzoo.typing import Array, Int, Key


@spec
class StringToString(VariedLengths, Classified):
    """S random symbols, then a blank for each symbol of the answer (Deletang et al. 2023, arXiv:2207.02098).

    x (T, B) tokens: 0 blank, 1..K symbols; y (T, B) in 0..K-1, of which only the steps with blanks count. T is S plus
    the length of the answer. The score is the share of right symbols. The authors train on S = 1..40 and test on 41
    to 500."""

    length: Size = 8
    """Longest training string S; the lengths are uniform in 1..length."""
    test_length: Size = 16
    """Length S of every held-out string."""
    alphabet: Size = 2
    """Different symbols, K."""

    copies: ClassVar[int] = 1
    """Length of the answer, in strings."""

    tokens = True
    held_out_sequences = 2**11

    @property
    def input_size(self) -> int:
        return self.alphabet + 1

    @property
    def output_size(self) -> int:
        return self.alphabet

    @abc.abstractmethod
    def answers(self, string: Int[Array, "S B"], lengths: Int[Array, " B"]) -> Int[Array, "S B"]:
        """The answers to strings, of which only `lengths` symbols of each count; one of the copies."""

    def sequences(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> Batch:
        size, time = len(lengths), (1 + self.copies) * longest
        string = jax.random.randint(key, (longest, size), 0, self.alphabet, jnp.int32)
        shown, ended = before(lengths, time), before((1 + self.copies) * lengths, time)
        asked = ended & ~shown
        steps = jnp.arange(time)[:, None]
        answer = self.answers(string, lengths)[steps % lengths, jnp.arange(size)]
        spare = ((0, time - longest), (0, 0))
        return {
            "x": jnp.where(shown, jnp.pad(1 + string, spare), 0),
            "y": jnp.where(asked, answer, 0),
            "lengths": (1 + self.copies) * lengths,
            "mask": asked,
        }


__all__ = ["StringToString"]
