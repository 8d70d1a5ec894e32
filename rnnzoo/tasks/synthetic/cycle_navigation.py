"""Cycle navigation, a walk on five places in a ring (Deletang et al. 2023). arXiv:2207.02098"""

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.tasks.synthetic.labelled_strings import LabelledStrings
from rnnzoo.tasks.synthetic.varied_lengths import before
from rnnzoo.typing import Array, Int, Key

PLACES = 5


@spec
class CycleNavigation(LabelledStrings):
    """The place, 0 to 4, at the end of a walk from place 0: symbols 0, 1, 2 are steps of -1, 0, +1, all as likely.

    Chance 1/5."""

    symbols = 3
    output_size = PLACES

    def strings(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> tuple[Array, Array]:
        actions = jax.random.randint(key, (longest, len(lengths)), 0, 3, jnp.int32)
        return actions, jnp.where(before(lengths, longest), actions - 1, 0).sum(0) % PLACES
