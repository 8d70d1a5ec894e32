"""The running sum modulo p, the word problem of a cyclic group (Merrill et al. 2024). arXiv:2404.08819"""

from typing import Annotated

import jax
import jax.numpy as jnp

from rnnzoo.spec import Range, spec
from rnnzoo.tasks.data import Batch
from rnnzoo.tasks.synthetic.classified import Classified
from rnnzoo.tasks.synthetic.varied_lengths import VariedLengths, before
from rnnzoo.typing import Array, Int, Key

LARGEST = 2**15  # modulus: sums stay exact


@spec
class ModularSum(VariedLengths, Classified):
    """y_t = (x_0 + ... + x_t) mod p: x (T, B) tokens uniform in 0..p-1, y (T, B), p logits a step.

    With p = 2 it is `Parity`. Chance 1/p a step; the metric is the share of sequences with any wrong step.
    """

    modulus: Annotated[int, Range(low=2, high=LARGEST)] = 5
    """p, also the number of tokens and of classes."""

    metric = "wrong_sequences"
    better = "lower"
    tokens = True
    held_out_sequences = 2**11
    solved_at = 0.01

    @property
    def input_size(self) -> int:
        return self.modulus

    @property
    def output_size(self) -> int:
        return self.modulus

    def sequences(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> Batch:
        drawn = jax.random.randint(key, (longest, len(lengths)), 0, self.modulus, jnp.int32)
        x = jnp.where(before(lengths, longest), drawn, 0)
        y = jax.lax.associative_scan(lambda a, b: (a + b) % self.modulus, x)
        return {"x": x, "y": y, "lengths": lengths}
