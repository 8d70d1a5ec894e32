"""The flip-flop language, one bit that is written, read, or to be left alone (Liu et al. 2023). arXiv:2306.00946"""

from typing import Annotated

import jax
import jax.numpy as jnp

from rnnzoo.spec import Fraction, Range, UsageError, spec
from rnnzoo.tasks.data import Batch
from rnnzoo.tasks.synthetic.classified import Classified
from rnnzoo.typing import Array, Key

WRITE, IGNORE, READ, ZERO = range(4)


@spec
class FlipFlop(Classified):
    """Instructions with a bit after each: write it, ignore it, or read the bit that was written last.

    x (T, B) tokens: 0 write, 1 ignore, 2 read, 3 and 4 the bits 0 and 1. The first instruction writes, the last one
    reads; in between they are ignore with probability `ignored`, and write or read, as likely, with the rest. y (T, B)
    is the next bit, which counts where x_t reads; one logit. The metric is the share of reads that go wrong, chance
    1/2. A network has to forget at a write and at nothing else; the authors have T = 512, and LSTMs make no error.
    """

    length: Annotated[int, Range(low=4)] = 64
    """Steps T, an even number: two for each instruction."""
    ignored: Fraction = 0.8
    """Probability that an instruction between the first and the last one is to ignore the bit after it."""

    metric = "error"
    better = "lower"
    tokens = True
    solved_at = 0.001
    input_size = 5
    output_size = 1
    held_out_sequences = 2**11
    scaled = ("length",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length % 2:
            raise UsageError(f"FlipFlop.length is {self.length}; accepted: an even number")

    def draw(self, key: Key, size: int) -> Batch:
        key_kind, key_bit = jax.random.split(key)
        number = self.length // 2
        chance = jax.random.uniform(key_kind, (number, size), jnp.float32)
        kinds = jnp.where(chance < self.ignored, IGNORE, jnp.where(chance < (1 + self.ignored) / 2, WRITE, READ))
        kinds = kinds.at[0].set(WRITE).at[-1].set(READ)
        drawn = jax.random.randint(key_bit, (number, size), 0, 2, jnp.int32)
        numbers = jnp.arange(number, dtype=jnp.int32)[:, None]
        written = jax.lax.cummax(jnp.where(kinds == WRITE, numbers, 0))
        bits = jnp.where(kinds == READ, jnp.take_along_axis(drawn, written, axis=0), drawn)
        reads = kinds == READ
        none = jnp.zeros_like(bits)
        return {
            "x": _woven(kinds.astype(jnp.int32), ZERO + bits),
            "y": _woven(jnp.where(reads, bits, 0), none),
            "mask": _woven(reads, none.astype(bool)),
        }

    def scores(self, outputs: Array, batch: Batch) -> dict[str, tuple[Array, Array]]:
        found = super().scores(outputs, batch)
        hits, reads = found["accuracy"]
        return found | {"error": (reads - hits, reads)}


def _woven(a: Array, b: Array) -> Array:
    """a_0, b_0, a_1, b_1, ..."""
    return jnp.stack([a, b], axis=1).reshape(-1, a.shape[1])
