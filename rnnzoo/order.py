"""Sequences as the unrolls take them: one batch axis, and the order of running."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.trees import shard_like
from rnnzoo.typing import Array, Bool, Float, Int, PyTree, State


def as_lanes(array: Array, axis: int, count: int) -> Array:
    """The array with `count` batch axes, which begin at `axis`, as one."""
    lanes = math.prod(array.shape[axis : axis + count])  # may be symbolic, in jax.export
    return array.reshape(*array.shape[:axis], lanes, *array.shape[axis + count :])


def lane_lengths(lengths: Any, xs: Array, axes: int) -> Int[Array, " B"] | None:
    """The length of each lane, None for all T."""
    if lengths is None:
        return None
    return as_lanes(shard_like(jnp.asarray(lengths, int), xs, slice(1, 1 + axes)), 0, axes)


def turned(tree: PyTree, ends: Int[Array, " B"] | None) -> PyTree:
    """Leaves (T, B, ...) in the order of a reversed run, or back. With `ends`, from `lane_lengths`, every sequence is
    reversed within its own length. Padding then stays last; if it came first, it would shift the windows of
    `Truncated`."""
    if ends is None:
        return jax.tree.map(lambda a: jnp.flip(a, 0), tree)

    def turn(leaf: Array, end: Array) -> Array:
        steps = jnp.arange(leaf.shape[0])
        end = jnp.minimum(end, leaf.shape[0])  # it may be traced, and not checked
        order = jnp.where(steps < end, end - 1 - steps, steps)
        return leaf.at[order].get(unique_indices=True, mode="promise_in_bounds")  # its gradient moves, adds nothing

    return jax.tree.map(lambda leaf: jax.vmap(turn, (1, 0), 1)(leaf, ends), tree)


def held_at_padding(states: State | None, before: State, ends: Int[Array, " B"] | None) -> State | None:
    """States with the one before the first step at padding: in the order of the inputs, padding comes first."""
    if states is None or ends is None:
        return states

    def hold(leaf: Array, first: Array) -> Array:
        is_padding = jnp.arange(leaf.shape[0])[:, None] >= ends
        return jnp.where(is_padding.reshape(*is_padding.shape, *[1] * (leaf.ndim - 2)), first, leaf)

    return jax.tree.map(hold, states, before)


def times_backward(dt: Float[Array, "T B"], counts: Bool[Array, "T B"] | None) -> Float[Array, "T B"]:
    """The elapsed times of a reversed run over what `dt` times forward: at every step that counts, the time between it
    and the next one that counts. The last one, which runs first, has that of the first one, which has no step before
    it either."""
    if counts is None or dt.size == 0:
        return jnp.roll(dt, -1, 0)
    time, batch = dt.shape
    since = lax.cummin(jnp.where(counts, jnp.arange(time)[:, None], time), 0, reverse=True)  # first that counts, from t
    after = jnp.concatenate([since[1:], jnp.full((1, batch), time)])
    source = jnp.where(after < time, after, since[0])
    return jnp.take_along_axis(dt, jnp.minimum(source, time - 1), 0)  # where nothing counts, it has no influence


__all__ = ["as_lanes", "held_at_padding", "lane_lengths", "times_backward", "turned"]
