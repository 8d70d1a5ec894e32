"""The adding problem: a long linear memory (Hochreiter & Schmidhuber 1997; the form of Le et al., arXiv:1504.00941)."""

from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Range, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.synthetic.drawn import Synthetic
from rnnzoo.typing import Array, Float, Key


@spec
class Adding(Synthetic):
    """The sum of the two marked values: x (T, B, 2) of (value, mark), y (B,), read at the last step.

    Values are uniform in [0, 1); one mark is in the first half of the steps, one in the second. The baseline
    always answers 1, the mean of the sum (mean squared error 1/6 in expectation).
    """

    length: Annotated[int, Range(low=2)] = 100
    """Time steps, at least one for each mark."""

    metric = "mse"
    better = "lower"
    read = "last"

    input_size = 2
    output_size = 1
    held_out_sequences = 2**12
    solved_at = 0.01
    scaled = ("length",)

    def draw(self, key: Key, size: int) -> Batch:
        key_values, key_first, key_second = jax.random.split(key, 3)
        half = self.length // 2
        values = jax.random.uniform(key_values, (self.length, size), jnp.float32)
        first = jax.random.randint(key_first, (size,), 0, half, jnp.int32)
        second = jax.random.randint(key_second, (size,), half, self.length, jnp.int32)
        steps = jnp.arange(self.length)[:, None]
        marked = (steps == first) | (steps == second)
        x = jnp.stack([values, marked], axis=-1).astype(jnp.result_type(float))
        return {"x": x, "y": x.prod(-1).sum(0)}

    def loss(self, outputs: Float[Array, "B 1"], batch: Batch) -> Array:
        return measures.loss((measures.wide(outputs[..., 0]) - batch["y"]) ** 2, batch)

    def scores(self, outputs: Float[Array, "B 1"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        return {"mse": measures.total((measures.wide(outputs[..., 0]) - batch["y"]) ** 2)}

    def baselines(self, data: Data) -> dict[str, float]:
        y = np.concatenate([b["y"] for b in data.held_out("test")])
        return {"constant_1": float(((y - 1) ** 2).mean())}
