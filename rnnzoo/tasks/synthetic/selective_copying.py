"""Selective copying, tokens among noise that are to be told in order (Gu & Dao 2023). arXiv:2312.00752"""

import dataclasses

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.tasks.data import Batch
from rnnzoo.tasks.synthetic.classified import Classified
from rnnzoo.typing import Key


@spec
class SelectiveCopying(Classified):
    """S random symbols at random places among noise, then S steps that ask for them in order.

    x (T, B) tokens: 0 noise, 1..K symbols, K + 1 a question; T = length + S. y (T, B) in 0..K-1, of which only the last
    S steps count. The score is the share of right symbols, chance 1/K. Since the gaps differ, no fixed delay solves it.
    The authors have length 4096 and S = 16.
    """

    length: Size = 64
    """Steps before the questions, with the symbols among them."""
    symbols: Size = 4
    """Symbols to copy, S; at most `length`."""
    alphabet: Size = 8
    """Different symbols, K."""

    tokens = True
    held_out_sequences = 2**11

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.symbols > self.length:
            raise UsageError(f"SelectiveCopying.symbols is {self.symbols}; accepted: at most length = {self.length}")

    @property
    def input_size(self) -> int:
        return self.alphabet + 2

    @property
    def output_size(self) -> int:
        return self.alphabet

    def longer(self, times: int) -> "SelectiveCopying":
        """The same symbols among more noise."""
        return dataclasses.replace(self, length=times * (self.length + self.symbols) - self.symbols)

    def draw(self, key: Key, size: int) -> Batch:
        key_symbols, key_places = jax.random.split(key)
        symbols = jax.random.randint(key_symbols, (self.symbols, size), 0, self.alphabet, jnp.int32)
        order = jax.random.uniform(key_places, (self.length, size), jnp.float32).argsort(axis=0)
        places = jnp.sort(order[: self.symbols], axis=0)
        x = jnp.zeros((self.length + self.symbols, size), jnp.int32).at[places, jnp.arange(size)].set(1 + symbols)
        asked = jnp.arange(len(x))[:, None] >= self.length
        return {
            "x": jnp.where(asked, self.alphabet + 1, x),
            "y": jnp.zeros_like(x).at[self.length :].set(symbols),
            "mask": jnp.broadcast_to(asked, x.shape),
        }
