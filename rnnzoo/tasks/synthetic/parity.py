"""The running parity of a string of bits: two states, which every 1 swaps."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.synthetic.varied_lengths import VariedLengths, before
from rnnzoo.typing import Array, Float, Int, Key


@spec
class Parity(VariedLengths):
    """y_t = x_0 xor ... xor x_t of random bits: x (T, B, 1) in {0, 1}, y (T, B); one logit a step, > 0 for odd.

    Trained on sequences of 1 to `length` steps, evaluated on longer ones of exactly `test_length`: only a
    network that has found the rule, rather than the strings, gets them right. The baseline guesses each bit.
    """

    metric = "wrong_sequences"
    better = "lower"
    loss_unit = "nats"

    input_size = 1
    output_size = 1
    held_out_sequences = 2**11
    solved_at = 0.01

    def sequences(self, key: Key, longest: int, lengths: Int[Array, " B"]) -> Batch:
        bits = jax.random.bits(key, (longest, len(lengths)), jnp.uint8) & before(lengths, longest)
        y = jnp.cumsum(bits, axis=0, dtype=jnp.int32) & 1
        return {"x": bits[..., None].astype(jnp.result_type(float)), "y": y, "lengths": lengths}

    def loss(self, outputs: Float[Array, "T B 1"], batch: Batch) -> Array:
        return measures.loss(measures.binary_cross_entropy(outputs[..., 0], batch["y"]), batch)

    def scores(self, outputs: Float[Array, "T B 1"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        hits, where = measures.bit_hits(outputs[..., 0], batch["y"]), measures.counted(batch)
        return {
            "wrong_sequences": measures.sequence_errors(hits, where),
            "bit_error": measures.total(~hits, where),
        }

    def baselines(self, data: Data) -> dict[str, float]:
        return {"chance": 1 - 0.5**self.test_length}
