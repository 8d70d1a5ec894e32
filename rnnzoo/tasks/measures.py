"""What the tasks share: losses and hits per prediction, and sums over the predictions that count."""

import jax
import jax.numpy as jnp

from rnnzoo.integers import check_integers
from rnnzoo.tasks.data import Batch
from rnnzoo.typing import Array, Bool, Float, Int, Shaped


def wide(outputs: Shaped[Array, "..."]) -> Float[Array, "..."]:
    """The outputs in float32 or wider: bfloat16 is too coarse for a mean over many predictions."""
    return outputs.astype(jnp.promote_types(outputs.dtype, jnp.float32))


def binary_cross_entropy(logits: Float[Array, "..."], bits: Int[Array, "..."]) -> Float[Array, "..."]:
    """The negative log likelihood of each bit, in nats."""
    _check_bits(bits)
    return -jax.nn.log_sigmoid(jnp.where(bits == 1, wide(logits), -wide(logits)))


def cross_entropy(logits: Float[Array, "... K"], classes: Int[Array, "..."]) -> Float[Array, "..."]:
    """The negative log likelihood of each class, in nats."""
    check_integers("classes", classes, 0, logits.shape[-1] - 1)
    return -jnp.take_along_axis(jax.nn.log_softmax(wide(logits)), classes[..., None], axis=-1)[..., 0]


def bit_hits(logits: Float[Array, "..."], bits: Int[Array, "..."]) -> Bool[Array, "..."]:
    """Whether each bit is predicted right, as logit > 0. NaN is wrong for either bit."""
    _check_bits(bits)
    return jnp.where(bits == 1, logits > 0, logits <= 0)


def class_hits(logits: Float[Array, "... K"], classes: Int[Array, "..."]) -> Bool[Array, "..."]:
    """Whether each class is predicted right, as the largest logit. Any NaN or infinity is wrong."""
    check_integers("classes", classes, 0, logits.shape[-1] - 1)
    return (logits.argmax(-1) == classes) & jnp.isfinite(logits).all(-1)


def _check_bits(bits: Shaped[Array, "..."]) -> None:
    if bits.dtype != bool:
        check_integers("bits", bits, 0, 1)


def counted(batch: Batch) -> Bool[Array, "T B"]:
    """Which steps count: all, or those before each sequence's length, and of these the ones in the mask."""
    time, size = batch["x"].shape[:2]
    where = jnp.ones((time, size), bool)
    if "lengths" in batch:
        where &= jnp.arange(time)[:, None] < batch["lengths"]
    return where & batch["mask"] if "mask" in batch else where


def total(values: Shaped[Array, "..."], where: Bool[Array, "..."] | None = None) -> tuple[Array, Array]:
    """The sum and the number of the values that count, both in floating point."""
    where = jnp.ones(values.shape, bool) if where is None else where
    dtype = jnp.promote_types(values.dtype, jnp.float32)
    return jnp.where(where, values, 0).sum(dtype=dtype), where.sum(dtype=dtype)


def mean(values: Float[Array, "..."], where: Bool[Array, "..."]) -> Array:
    """The mean of the values that count."""
    added, number = total(values, where)
    return added / number


def loss(values: Float[Array, "..."], batch: Batch) -> Array:
    """The mean of a batch's losses, one for each step (T, B) or each sequence (B,): of those that count, each in
    proportion to the weight of its sequence. 0 where nothing counts."""
    if not {"lengths", "mask", "weight"} & batch.keys():
        return values.mean()
    share = counted(batch) if values.ndim == 2 else jnp.ones(values.shape, bool)
    if "weight" not in batch:
        added, number = total(values, share)
        return added / jnp.maximum(number, 1)
    weights = jnp.where(share, batch["weight"], 0)
    added, all_weights = jnp.where(share, weights * values, 0).sum(), weights.sum()
    return jnp.where(all_weights > 0, added / jnp.where(all_weights > 0, all_weights, 1), 0)


def sequence_errors(hits: Bool[Array, "T B"], where: Bool[Array, "T B"]) -> tuple[Array, Array]:
    """The number of sequences with any wrong prediction, and of all sequences."""
    return total((~hits & where).any(0))
