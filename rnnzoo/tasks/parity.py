"""The running parity of a string of bits: two states, which every 1 swaps."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.synthetic import Synthetic
from rnnzoo.typing import Array, Float, Key


@spec
class Parity(Synthetic):
    """y_t = x_0 xor ... xor x_t of random bits: x (T, B, 1) in {0, 1}, y (T, B); one logit a step, > 0 for odd.

    Trained on sequences of 1 to `length` steps, evaluated on longer ones of exactly `test_length`: only a
    network that has found the rule, rather than the strings, gets them right. The baseline guesses each bit.
    """

    length: Size = 16
    """Longest training sequence, in steps; the lengths are uniform in 1..length."""
    test_length: Size = 64
    """Length of every held-out sequence, in steps."""

    metric = "wrong_sequences"
    better = "lower"

    input_size = 1
    output_size = 1
    held_out_sequences = 2**11
    solved_at = 0.01

    def draw(self, key: Key, size: int) -> Batch:
        key_bits, key_lengths = jax.random.split(key)
        lengths = jax.random.randint(key_lengths, (size,), 1, self.length + 1, jnp.int32)
        return _draw(key_bits, self.length, size, lengths)

    def draw_held_out(self, key: Key, size: int) -> Batch:
        return _draw(key, self.test_length, size, jnp.full(size, self.test_length, jnp.int32))

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


def _draw(key: Key, time: int, size: int, lengths: Array) -> Batch:
    """Random bits, zero past each length."""
    bits = jax.random.bits(key, (time, size), jnp.uint8) & (jnp.arange(time)[:, None] < lengths)
    y = jnp.cumsum(bits, axis=0, dtype=jnp.int32) & 1
    return {"x": bits[..., None].astype(jnp.result_type(float)), "y": y, "lengths": lengths}
