"""The missing symbol of a string that is there twice (Deletang et al. 2023). arXiv:2207.02098"""

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.tasks.synthetic.labelled_strings import LabelledStrings
from rnnzoo.typing import Array, Int, Key

MISSING, EMPTY = 2, 3


@spec
class MissingDuplicateString(LabelledStrings):
    """A random bit string, twice, with one of all its bits replaced by a 2: the class is that bit.

    A string of odd length ends with a 3; one of length 1 is a 1, of class 1. Context-sensitive. Chance 1/2."""

    symbols = 4
    output_size = 2

    def strings(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> tuple[Array, Array]:
        key_bits, key_place = jax.random.split(key)
        size, half = len(lengths), lengths // 2
        bits = jax.random.randint(key_bits, (max(1, longest // 2), size), 0, 2, jnp.int32)
        steps, columns = jnp.arange(longest)[:, None], jnp.arange(size)
        twice = bits[steps % jnp.maximum(half, 1), columns]
        place = jax.random.randint(key_place, (size,), 0, jnp.maximum(2 * half, 1), jnp.int32)
        symbols = jnp.where(steps == place, MISSING, jnp.where(steps < 2 * half, twice, EMPTY))
        alone = lengths == 1
        return jnp.where(alone, 1, symbols), jnp.where(alone, 1, twice[place, columns])
