"""Delayed recall: latch one bit against noise (Bengio, Simard & Frasconi 1994)."""

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Size, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.synthetic.drawn import Synthetic
from rnnzoo.typing import Array, Float, Key


@spec
class DelayedRecall(Synthetic):
    """Report the first input at the end: x_0 is -1 or 1, the later x_t are noise uniform in (-1, 1).

    x (T, B, 1), y (B,) 1 where x_0 is 1; read at the last step, as one logit. Every structure should manage:
    the control of the other memory tasks. The baseline always gives the more frequent answer of the test set.
    """

    length: Size = 100
    """Time steps, with the bit and the noise after it."""

    metric = "accuracy"
    better = "higher"
    loss_unit = "nats"
    read = "last"

    input_size = 1
    output_size = 1
    held_out_sequences = 2**12
    solved_at = 0.99
    scaled = ("length",)

    def draw(self, key: Key, size: int) -> Batch:
        key_bit, key_noise = jax.random.split(key)
        y = jax.random.randint(key_bit, (size,), 0, 2, jnp.int32)
        noise = jax.random.uniform(key_noise, (self.length - 1, size), jnp.float32, minval=-1.0)
        x = jnp.concatenate([(2 * y - 1)[None], noise])[..., None]
        return {"x": x.astype(jnp.result_type(float)), "y": y}

    def loss(self, outputs: Float[Array, "B 1"], batch: Batch) -> Array:
        return measures.loss(measures.binary_cross_entropy(outputs[..., 0], batch["y"]), batch)

    def scores(self, outputs: Float[Array, "B 1"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        losses = measures.binary_cross_entropy(outputs[..., 0], batch["y"])
        return {
            "accuracy": measures.total(measures.bit_hits(outputs[..., 0], batch["y"])),
            "cross_entropy": measures.total(losses),
        }

    def baselines(self, data: Data) -> dict[str, float]:
        ones = float(np.concatenate([b["y"] for b in data.held_out("test")]).mean())
        return {"majority": max(ones, 1 - ones)}
