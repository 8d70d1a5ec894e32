"""Adding two binary numbers bit by bit: the experiment of the question (Cross Validated 210111; Trask 2015)."""

import dataclasses
from collections.abc import Iterator
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Size, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.data import Batch, Data, Part
from rnnzoo.tasks.synthetic.drawn import Drawn, Synthetic
from rnnzoo.typing import Array, Bool, Float, Key

LARGEST = 2**14  # sums in a held-out set; all that there are, up to 8 bits


@spec
class BinaryAddition(Synthetic):
    """Operands uniform in [0, 2^(bits - 1)), least significant bit first; so their sum fits in `bits` bits.

    x (T, B, 2) the bits of both operands, y (T, B) those of the sum, T = bits; one logit a step, > 0 for a 1.
    The test set is all sums up to 8 bits, and 16,384 random ones beyond. The baselines see only the current pair
    of bits (memoryless) and the k pairs before it; they assume that no carry comes from farther back, which is
    more likely than not.
    """

    bits: Size = 8
    """Bits of the sum, so also the time steps."""
    objective: Literal["bce", "squared"] = "bce"
    """bce: mean binary cross-entropy of a bit; squared: 0.5 (y - sigmoid)^2 summed over the bits of a sum."""

    metric = "wrong_sums"
    better = "lower"

    input_size = 2
    output_size = 1
    solved_at = 0.01
    scaled = ("bits",)

    @property
    def loss_unit(self) -> str:
        return "nats" if self.objective == "bce" else ""

    @property
    def held_out_sequences(self) -> int:
        return min(self.sums, LARGEST)

    @property
    def sums(self) -> int:
        """How many sums there are."""
        return 4 ** (self.bits - 1)

    def open(self) -> "Sums":
        return Sums(self)

    def draw(self, key: Key, size: int) -> Batch:
        # Bit by bit, so that no operand is ever held in an integer that it could overflow.
        drawn = jax.random.bits(key, (self.bits - 1, size, 2), jnp.uint8) & 1
        return _labelled(jnp.pad(drawn.astype(bool), ((0, 1), (0, 0), (0, 0))))

    def loss(self, outputs: Float[Array, "T B 1"], batch: Batch) -> Array:
        logits = measures.wide(outputs[..., 0])
        if self.objective == "squared":
            return measures.loss((0.5 * (batch["y"] - jax.nn.sigmoid(logits)) ** 2).sum(0), batch)
        return measures.loss(measures.binary_cross_entropy(logits, batch["y"]), batch)

    def scores(self, outputs: Float[Array, "T B 1"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        hits = measures.bit_hits(outputs[..., 0], batch["y"])
        return {
            "wrong_sums": measures.sequence_errors(hits, measures.counted(batch)),
            "bit_error": measures.total(~hits),
        }

    def baselines(self, data: Data) -> dict[str, float]:
        test = list(data.held_out("test"))
        x, y = (np.concatenate([b[name] for b in test], axis=1) for name in "xy")
        generate, propagate = x.sum(-1) == 2, x.sum(-1) == 1
        carry, found = np.zeros_like(propagate), {}
        for back in range(max(1, min(self.bits - 1, 7))):
            name = f"sees_{back}_back" if back else "memoryless"
            found[name] = float(((propagate ^ carry) != y).any(0).mean())
            carry[1:] = generate[:-1] | propagate[:-1] & carry[:-1]
        return found


@dataclasses.dataclass(frozen=True)
class Sums(Drawn):
    """The data of binary addition: drawn, but for the test set where it holds every sum."""

    task: BinaryAddition

    def held_out(self, part: Part) -> Iterator[Batch]:
        bits = self.task.bits
        if part != "test" or self.task.sums > LARGEST:
            yield from super().held_out(part)
            return
        operands = np.stack(np.divmod(np.arange(self.task.sums), 2 ** (bits - 1)), axis=-1)
        yield _labelled(jnp.asarray(operands >> np.arange(bits)[:, None, None] & 1, bool))


@jax.jit
def _labelled(operands: Bool[Array, "T B 2"]) -> Batch:
    no_carry = jnp.zeros(operands.shape[1], bool)
    _, y = jax.lax.scan(_full_adder, no_carry, (operands[..., 0], operands[..., 1]), unroll=8)
    return {"x": operands.astype(jnp.result_type(float)), "y": y.astype(jnp.int32)}


def _full_adder(carry: Array, pair: tuple[Array, Array]) -> tuple[Array, Array]:
    a, b = pair
    return a & b | carry & (a ^ b), a ^ b ^ carry
