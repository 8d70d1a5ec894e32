"""The symbols of a string in increasing order (Deletang et al. 2023). arXiv:2207.02098"""

import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.tasks.synthetic.string_to_string import StringToString
from rnnzoo.tasks.synthetic.varied_lengths import before
from rnnzoo.typing import Array, Int


@spec
class BucketSort(StringToString):
    """The symbols sorted: what counters of each symbol do. Chance 1/K; more for one that knows a symbol's place."""

    alphabet: Size = 5
    """Different symbols, K."""

    def answers(self, string: Int[Array, "S B"], lengths: Int[Array, " B"]) -> Int[Array, "S B"]:
        return jnp.sort(jnp.where(before(lengths, len(string)), string, self.alphabet), axis=0)
