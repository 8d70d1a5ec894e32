"""Induction heads, what came after a token the last time it was seen (Gu & Dao 2023). arXiv:2312.00752"""

from typing import Annotated

import jax
import jax.numpy as jnp

from rnnzoo.spec import Range, Size, spec
from rnnzoo.tasks.data import Batch
from rnnzoo.tasks.synthetic.classified import Classified
from rnnzoo.typing import Key


@spec
class Induction(Classified):
    """Random tokens, and among them a special one, whose successor is to be told when it comes again at the end.

    x (T, B) tokens: 0..V-1 uniform, V the special one, at a random place before step T - 2 and at step T - 1. y (B,) is
    what followed, read at the last step. Chance 1/V. A unit has to write once, at a step that its input marks. After
    Olsson et al. 2022; Gu & Dao train on T = 256 with V = 16, and test on up to 2^20.
    """

    length: Annotated[int, Range(low=3)] = 64
    """Steps T, with the special token at the end."""
    alphabet: Size = 16
    """Ordinary tokens V, also the number of classes."""

    tokens = True
    read = "last"
    held_out_sequences = 2**11
    scaled = ("length",)

    @property
    def input_size(self) -> int:
        return self.alphabet + 1

    @property
    def output_size(self) -> int:
        return self.alphabet

    def draw(self, key: Key, size: int) -> Batch:
        key_tokens, key_place = jax.random.split(key)
        tokens = jax.random.randint(key_tokens, (self.length, size), 0, self.alphabet, jnp.int32)
        place = jax.random.randint(key_place, (size,), 0, self.length - 2, jnp.int32)
        columns = jnp.arange(size)
        x = tokens.at[place, columns].set(self.alphabet).at[-1].set(self.alphabet)
        return {"x": x, "y": x[place + 1, columns]}
