"""NARMA-10, a nonlinear system with a memory of ten steps (Atiya & Parlos 2000). doi:10.1109/72.846741"""

from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Range, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.synthetic.drawn import Synthetic
from rnnzoo.typing import Array, Float, Key

ORDER = 10


@spec
class NARMA10(Synthetic):
    """y_t = 0.3 y_{t-1} + 0.05 y_{t-1} (y_{t-1} + ... + y_{t-10}) + 1.5 x_{t-10} x_{t-1} + 0.1, x uniform in (0, 0.5).

    x (T, B, 1), y (T, B) from rest, one output; the first 10 steps do not count. The system diverges for rare inputs: y
    is held at 1, which one step in 30,000 exceeds. The score is the mean squared error, solved below 1e-3; the baseline
    gives the mean of y, and so has its variance, 0.012.
    """

    length: Annotated[int, Range(low=ORDER + 1)] = 100
    """Steps T, more than ten."""

    metric = "mse"
    better = "lower"
    input_size = 1
    output_size = 1
    held_out_sequences = 2**10
    solved_at = 1e-3
    scaled = ("length",)

    def draw(self, key: Key, size: int) -> Batch:
        x = jax.random.uniform(key, (self.length, size), jnp.float32, maxval=0.5)
        before = jnp.pad(x, ((ORDER, 0), (0, 0)))
        inputs = (before[: self.length], before[ORDER - 1 : -1])  # x_{t-10}, x_{t-1}
        rest = jnp.zeros((ORDER, size), jnp.float32)
        _, y = jax.lax.scan(_step, rest, inputs)
        dtype = jnp.result_type(float)
        known = jnp.broadcast_to(jnp.arange(self.length)[:, None] >= ORDER, y.shape)
        return {"x": x[..., None].astype(dtype), "y": y.astype(dtype), "mask": known}

    def loss(self, outputs: Float[Array, "T B 1"], batch: Batch) -> Array:
        return measures.loss((measures.wide(outputs[..., 0]) - batch["y"]) ** 2, batch)

    def scores(self, outputs: Float[Array, "T B 1"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        return {"mse": measures.total((measures.wide(outputs[..., 0]) - batch["y"]) ** 2, measures.counted(batch))}

    def baselines(self, data: Data) -> dict[str, float]:
        y = np.concatenate([b["y"] for b in data.held_out("test")], axis=1)[ORDER:]
        return {"mean": float(y.var())}


def _step(last: Array, inputs: tuple[Array, Array]) -> tuple[Array, Array]:
    """From the last ten y, newest first (10, B), to the next one."""
    early, late = inputs
    y = 0.3 * last[0] + 0.05 * last[0] * last.sum(0) + 1.5 * early * late + 0.1
    y = jnp.minimum(y, 1)
    return jnp.concatenate([y[None], last[:-1]]), y
