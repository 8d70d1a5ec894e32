"""A delay line, the last n inputs at once: memory capacity (Jaeger 2001, GMD report 152)."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.tasks import measures
from rnnzoo.tasks.data import Batch, Data
from rnnzoo.tasks.synthetic.drawn import Synthetic
from rnnzoo.typing import Array, Float, Key

VARIANCE = 1 / 3  # of a number uniform in (-1, 1)


@spec
class DelayLine(Synthetic):
    """x (T, B, 1) uniform in (-1, 1), y (T, B, n) = x_{t-1}, ..., x_{t-n}, from step n on; n outputs.

    The loss is the mean squared error. `nmse` is that over the variance of x, so that 1 is the score of the baseline,
    0. `capacity` = n (1 - nmse) is Jaeger's memory capacity up to delay n, as far as trained outputs reach it: the sum
    of the squared correlations. A linear network with H units has at most H.
    """

    length: Size = 64
    """Steps T, more than `delays`."""
    delays: Size = 16
    """The longest delay, n."""

    metric = "nmse"
    better = "lower"
    input_size = 1
    held_out_sequences = 2**9
    solved_at = 0.01
    scaled = ("length",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.delays >= self.length:
            raise UsageError(f"DelayLine.delays is {self.delays}; accepted: less than length = {self.length}")

    @property
    def output_size(self) -> int:
        return self.delays

    def draw(self, key: Key, size: int) -> Batch:
        x = jax.random.uniform(key, (self.length, size), jnp.float32, minval=-1.0).astype(jnp.result_type(float))
        steps = jnp.arange(self.length)[:, None]
        y = x[jnp.maximum(steps - jnp.arange(1, self.delays + 1), 0)]  # (T, n, B)
        known = jnp.broadcast_to(steps >= self.delays, x.shape)
        return {"x": x[..., None], "y": jnp.where(known[..., None], y.swapaxes(1, 2), 0), "mask": known}

    def loss(self, outputs: Float[Array, "T B n"], batch: Batch) -> Array:
        return measures.loss(_errors(outputs, batch), batch)

    def scores(self, outputs: Float[Array, "T B n"], batch: Batch) -> dict[str, tuple[Array, Array]]:
        added, number = measures.total(_errors(outputs, batch) / VARIANCE, measures.counted(batch))
        return {"nmse": (added, number), "capacity": (self.delays * (number - added), number)}

    def baselines(self, data: Data) -> dict[str, float]:
        parts = [measures.total((b["y"] ** 2).mean(-1), b["mask"]) for b in data.held_out("test")]
        return {"zeros": float(sum(p[0] for p in parts) / sum(p[1] for p in parts)) / VARIANCE}


def _errors(outputs: Array, batch: Batch) -> Array:
    """The squared error of each step, a mean over the delays."""
    return ((measures.wide(outputs) - batch["y"]) ** 2).mean(-1)
