"""Inputs of a layer: valid numbers where a step does not count, and windows over what came before."""

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.typing import Array, Bool, Control, Float, Int


def valid_inputs(xs: Float[Array, "T B ..."], active: Bool[Array, "T B"] | None) -> Float[Array, "T B ..."]:
    """The inputs with others in place of those at steps that do not count, whose gradient is 0.

    A step is computed there all the same, and its result dropped. Were its input NaN, or one at which the cell has no
    derivative (0 for a logarithm), 0 times that would make all gradients NaN. So it gets an input that did occur: that
    of the nearest step that counts, earlier ones first; of another sequence, where the whole sequence does not count;
    ones, where nothing does."""
    if active is None or not xs.shape[0] or not xs.shape[1]:
        return xs

    def nearest(xs: Float[Array, "T ..."], active: Bool[Array, " T"]) -> Float[Array, "T ..."]:
        earlier = lax.cummax(jnp.where(active, jnp.arange(xs.shape[0]), -1))
        return xs[jnp.where(earlier >= 0, earlier, jnp.argmax(active))]

    # By lane, and from one lane to others by a sum: on an explicit mesh no index may reach over devices.
    filled, some = jax.vmap(nearest, 1, 1)(lax.stop_gradient(xs), active), active.any(0)
    is_donor = _column(jax.nn.one_hot(jnp.argmax(some), xs.shape[1], dtype=bool), filled[0])
    donor = jnp.where(some.any(), jnp.where(is_donor, filled[0], 0).sum(0), 1).astype(xs.dtype)
    other = jnp.where(_column(some, filled[0]), filled, donor)
    return jnp.where(active.reshape(*active.shape, *[1] * (xs.ndim - 2)), xs, other)


def windows(
    xs: Float[Array, "T B ..."], before: Float[Array, "B N ..."], first: Float[Array, "N ..."] | None, controls: Control
) -> tuple[Float[Array, "T B M ..."], Float[Array, "T B N ..."]]:
    """The last N + 1 inputs at each step, the newest last, and the last N after it: what a cell keeps as state["x"]; or
    the same of a leaf of z_t, for state["z"].

    `before` are those before the first step; after a reset they are `first`. Steps that do not count are not there:
    windows reach over them, and theirs are those of the step before."""
    count = before.shape[1]
    if not count or (controls.active is None and controls.reset is None):
        padded = jnp.concatenate([jnp.moveaxis(before, 1, 0).astype(xs.dtype), xs])
        found = jnp.stack([padded[n : n + xs.shape[0]] for n in range(count + 1)], 2)
    else:
        active = jnp.ones(xs.shape[:2], bool) if controls.active is None else controls.active
        reset = jnp.zeros(xs.shape[:2], bool) if controls.reset is None else controls.reset & active
        started = before if first is None else jnp.broadcast_to(first, before.shape)
        found = jax.vmap(_window, (1, 0, 0, 1, 1), 1)(xs, before, started, active, reset)
    return found, found[:, :, 1:].astype(before.dtype)


def _window(
    xs: Float[Array, "T ..."], before: Float[Array, "N ..."], first: Float[Array, "N ..."], active: Bool[Array, " T"],
    reset: Bool[Array, " T"],
) -> Float[Array, "T M ..."]:  # fmt: skip
    """Of one sequence. Steps that count are numbered from 0; `rank` is the number of the newest one, -1 before any."""
    count, time = before.shape[0], xs.shape[0]
    if not time:
        return jnp.zeros((0, count + 1, *xs.shape[1:]), xs.dtype)
    at = jnp.argsort(~active, stable=True)  # number -> step
    rank = jnp.cumsum(active) - 1
    start = lax.cummax(jnp.where(reset, rank, -1))  # the number of the newest step that began anew

    def lag(n: Int[Array, ""]) -> Float[Array, "T ..."]:
        number, since = rank - n, jnp.maximum(start, 0)
        place = jnp.clip(count + number - since, 0, count - 1)
        old = jnp.where(_column(start >= 0, xs), first[place], before[place]).astype(xs.dtype)
        return jnp.where(_column(number >= since, xs), xs[at[jnp.clip(number, 0)]], old)

    return jnp.moveaxis(jax.vmap(lag)(jnp.arange(count, -1, -1)), 0, 1)


def _column(condition: Bool[Array, " N"], like: Array) -> Bool[Array, "N ..."]:
    """The condition with as many axes as `like`."""
    return condition.reshape(-1, *[1] * (like.ndim - 1))


__all__ = ["valid_inputs", "windows"]
