"""What the tasks share: losses and hits per prediction, sums over those that count, and the fixed held-out draws."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp

from rnnzoo.tasks.base import Batch
from rnnzoo.typing import Array, Bool, Float, Int, Key, PyTree, Shaped

STEPS_PER_BATCH = 2**17  # T * B of one held-out batch: bounds the memory of an evaluation


def wide(outputs: Shaped[Array, "..."]) -> Float[Array, "..."]:
    """The outputs in float32 or wider: bfloat16 is too coarse for a mean over many predictions."""
    return outputs.astype(jnp.promote_types(outputs.dtype, jnp.float32))


def binary_cross_entropy(logits: Float[Array, "..."], bits: Int[Array, "..."]) -> Float[Array, "..."]:
    """The negative log likelihood of each bit, in nats."""
    return -jax.nn.log_sigmoid(jnp.where(bits == 1, wide(logits), -wide(logits)))


def cross_entropy(logits: Float[Array, "... K"], classes: Int[Array, "..."]) -> Float[Array, "..."]:
    """The negative log likelihood of each class, in nats."""
    return -jnp.take_along_axis(jax.nn.log_softmax(wide(logits)), classes[..., None], axis=-1)[..., 0]


def bit_hits(logits: Float[Array, "..."], bits: Int[Array, "..."]) -> Bool[Array, "..."]:
    """Whether each bit is predicted right, as logit > 0. NaN is wrong for either bit."""
    return jnp.where(bits == 1, logits > 0, logits <= 0)


def class_hits(logits: Float[Array, "... K"], classes: Int[Array, "..."]) -> Bool[Array, "..."]:
    """Whether each class is predicted right, as the largest logit. Any NaN or infinity is wrong."""
    return (logits.argmax(-1) == classes) & jnp.isfinite(logits).all(-1)


def counted(batch: Batch) -> Bool[Array, "T B"]:
    """Which steps count: all, or those before each sequence's length."""
    time, size = batch["x"].shape[:2]
    if "lengths" not in batch:
        return jnp.ones((time, size), bool)
    return jnp.arange(time)[:, None] < batch["lengths"]


def total(values: Shaped[Array, "..."], where: Bool[Array, "..."] | None = None) -> tuple[Array, Array]:
    """The sum and the number of the values that count, both in floating point."""
    where = jnp.ones(values.shape, bool) if where is None else where
    dtype = jnp.promote_types(values.dtype, jnp.float32)
    return jnp.where(where, values, 0).sum(dtype=dtype), where.sum(dtype=dtype)


def mean(values: Float[Array, "..."], where: Bool[Array, "..."]) -> Array:
    """The mean of the values that count."""
    added, number = total(values, where)
    return added / number


def sequence_errors(hits: Bool[Array, "T B"], where: Bool[Array, "T B"]) -> tuple[Array, Array]:
    """The number of sequences with any wrong prediction, and of all sequences."""
    return total((~hits & where).any(0))


def fixed_draws(draw: Callable[[PyTree, Key, int], Batch], sequences: int, time: int) -> list[Batch]:
    """The same random sequences at every call, whatever generator the program has set as its default. `draw` is
    a task's `batch`, or a method like it; `sequences` is a power of two, and so is each batch's share of them."""
    fitting = max(1, STEPS_PER_BATCH // time)
    size = min(sequences, 2 ** (fitting.bit_length() - 1))
    key = jax.random.key(210111, impl="threefry2x32")
    return [_drawn(draw, k, size) for k in jax.random.split(key, sequences // size)]


@functools.partial(jax.jit, static_argnums=(0, 2))  # methods of equal tasks are equal: compiled once
def _drawn(draw: Callable[[PyTree, Key, int], Batch], key: Key, size: int) -> Batch:
    return draw({}, key, size)
