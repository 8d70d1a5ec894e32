"""What the tasks share that label whole strings, by the protocol of the Chomsky hierarchy study."""

import abc
import dataclasses
from typing import ClassVar, Literal, Self

import jax.numpy as jnp

from rnnzoo.spec import Size, required, spec
from rnnzoo.tasks.data import Batch
from rnnzoo.tasks.synthetic.classified import Classified
from rnnzoo.tasks.synthetic.varied_lengths import VariedLengths, before, check_shortest
from rnnzoo.typing import Array, Int, Key


@spec
class LabelledStrings(VariedLengths, Classified):
    """A string and one blank, at which its class is read (Deletang et al. 2023, arXiv:2207.02098, section 4).

    x (T, B) tokens, one-hot without an embedding: the symbols, then A, the blank; lengths count the blank, so that
    T = longest string + 1. y (B,). The score is the accuracy over all test lengths with equal weight.

    The lengths are theirs for training, 1 to 40. Their batches hold one length each, ours all of them. They test on
    41 to 500, which `test_length` = 500 and `shortest_test` = 41 do; the default is 40 to 256, as in PD-SSM (Terzic et
    al. 2025, arXiv:2509.22284, and its code), which trains on 3 to 40 and reads the class at the last symbol.
    """

    length: Size = 40
    """Longest training string, in symbols; the lengths are uniform in 1..length."""
    test_length: Size = 256
    """Longest held-out string, in symbols."""
    shortest_test: Size = 40
    """Shortest held-out string, in symbols; no longer than `test_length`."""

    symbols: ClassVar[int] = required()
    """Number of different symbols, A."""

    tokens = True
    read: ClassVar[Literal["each", "last"]] = "last"
    held_out_sequences = 2**11

    def __post_init__(self) -> None:
        super().__post_init__()
        check_shortest(self, self.shortest_test)

    @property
    def shortest_held_out(self) -> int:
        return self.shortest_test

    @property
    def input_size(self) -> int:
        return self.symbols + 1

    def longer(self, times: int) -> Self:
        return dataclasses.replace(self, test_length=times * self.length, shortest_test=times * self.length)

    def admitted(self, lengths: Int[Array, " B"]) -> Int[Array, " B"]:
        """The lengths that strings have for these drawn ones."""
        return lengths

    @abc.abstractmethod
    def strings(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> tuple[Array, Array]:
        """Random strings (longest, B), of which the first `lengths` symbols are used, and their classes (B,)."""

    def sequences(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> Batch:
        lengths = self.admitted(lengths)
        symbols, y = self.strings(key, longest, lengths)
        used = jnp.where(before(lengths, longest), symbols, 0)
        x = jnp.pad(used, ((0, 1), (0, 0))).at[lengths, jnp.arange(len(lengths))].set(self.symbols)
        return {"x": x.astype(jnp.int32), "y": y.astype(jnp.int32), "lengths": lengths + 1}


__all__ = ["LabelledStrings"]
