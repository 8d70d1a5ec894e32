"""Parity of a whole string, a regular language (Deletang et al. 2023). arXiv:2207.02098"""

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.tasks.synthetic.labelled_strings import LabelledStrings
from rnnzoo.tasks.synthetic.varied_lengths import before
from rnnzoo.typing import Array, Int, Key


@spec
class ParityCheck(LabelledStrings):
    """Class 1 for an odd number of ones in a string of random bits, else 0. `Parity` asks for it at every step.

    Chance 1/2."""

    symbols = 2
    output_size = 2

    def strings(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> tuple[Array, Array]:
        bits = jax.random.randint(key, (longest, len(lengths)), 0, 2, jnp.int32)
        return bits, jnp.where(before(lengths, longest), bits, 0).sum(0) % 2
