"""A string, to be told backwards (Deletang et al. 2023). arXiv:2207.02098"""

import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.tasks.synthetic.string_to_string import StringToString
from rnnzoo.typing import Array, Int


@spec
class ReverseString(StringToString):
    """The last symbol first: what a stack does. Chance 1/K."""

    def answers(self, string: Int[Array, "S B"], lengths: Int[Array, " B"]) -> Int[Array, "S B"]:
        back = jnp.maximum(lengths - 1 - jnp.arange(len(string))[:, None], 0)
        return jnp.take_along_axis(string, back, axis=0)
