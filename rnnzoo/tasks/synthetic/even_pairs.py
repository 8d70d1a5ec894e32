"""Even pairs, a regular language that needs no counting (Deletang et al. 2023). arXiv:2207.02098"""

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.tasks.synthetic.labelled_strings import LabelledStrings
from rnnzoo.typing import Array, Int, Key


@spec
class EvenPairs(LabelledStrings):
    """Class 0 if 01 and 10 together occur an even number of times among the neighbours in a random bit string, else 1.

    That is so if the first bit is the last one, too: the language is star-free, though it looks like parity. Chance
    1/2."""

    symbols = 2
    output_size = 2

    def strings(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> tuple[Array, Array]:
        bits = jax.random.randint(key, (longest, len(lengths)), 0, 2, jnp.int32)
        return bits, bits[0] ^ bits[lengths - 1, jnp.arange(len(lengths))]
