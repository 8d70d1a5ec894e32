"""The word problem of a finite group, the product of a word at every step (Merrill et al. 2024). arXiv:2404.08819"""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import spec
from rnnzoo.tasks.data import Batch
from rnnzoo.tasks.synthetic import groups
from rnnzoo.tasks.synthetic.classified import Classified
from rnnzoo.tasks.synthetic.varied_lengths import VariedLengths, before
from rnnzoo.typing import Array, Int, Key


@spec
class WordProblem(VariedLengths, Classified):
    """y_t = x_0 x_1 ... x_t, the running product of random elements of a group of G permutations; x_0 acts first.

    x (T, B) tokens and y (T, B) are numbers of elements in lexicographic order, so that 0 is the identity. Abelian
    groups (Z2, Z5) are the easiest; then S3, D4 and A4, which are solvable; A5 and S5 are not, and complete for NC1
    (Barrington 1989). Chance 1/G a step; the metric is the share of sequences with any wrong step.
    """

    group: Literal["Z2", "Z5", "S3", "D4", "A4", "A5", "S5"] = "S3"
    words: Literal["elements", "generators"] = "elements"
    """What x is drawn from: all elements; or the identity and the generators, numbered 0, 1, ... (for S3 and S5, swaps
    of neighbours)."""

    metric = "wrong_sequences"
    better = "lower"
    tokens = True
    held_out_sequences = 2**11
    solved_at = 0.01

    @property
    def input_size(self) -> int:
        return len(self._letters())

    @property
    def output_size(self) -> int:
        return len(groups.elements(self.group))

    def sequences(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> Batch:
        drawn = jax.random.randint(key, (longest, len(lengths)), 0, self.input_size, jnp.int32)
        x = jnp.where(before(lengths, longest), drawn, 0)
        table = jnp.asarray(groups.table(self.group))

        def step(product: Array, element: Array) -> tuple[Array, Array]:
            product = table[product, element]
            return product, product

        _, y = jax.lax.scan(step, jnp.zeros(len(lengths), jnp.int32), jnp.asarray(self._letters())[x])
        return {"x": x, "y": y, "lengths": lengths}

    def _letters(self) -> np.ndarray:
        """The number of the element that each token stands for."""
        if self.words == "generators":
            return groups.generators(self.group)
        return np.arange(len(groups.elements(self.group)), dtype=np.int32)
