"""What decays leave of the rows of a matrix memory, from step to step of one chunk.

What step t hears of step s is the product of the decays e_(s+1) ... e_t, for each key. A chunk is halved, and so are
the halves, and so on. In the smallest block that has both steps, the product is the one up to its middle times the one
from there: sums over keys are products of two matrices, on as many levels as there are halvings (GLA has two levels of
blocks: Yang et al. 2024, arXiv:2312.06635).

A decay is at most 1, and so is every product of decays here: nothing overflows, and a decay to nothing is a plain 0. No
sums of logarithms are subtracted from each other, which would lose digits where decays are strong.
"""

from typing import NamedTuple

import jax.numpy as jnp

from rnnzoo.typing import Array, Float


class Level(NamedTuple):
    """Blocks of 2 h steps, by halves."""

    left: Float[Array, "... M h J"]
    """For each step of a left half: the product of what comes after it in that half."""
    right: Float[Array, "... M h J"]
    """For each step of a right half: the product of that half's decays up to its own."""


class Decays(NamedTuple):
    """Products of the decays of `even(C)` steps, of J = K keys or 1."""

    each: Float[Array, "... M c J"]
    """The decays, in blocks that are not halved."""
    levels: tuple[Level, ...]
    since: Float[Array, "... C J"]
    """The product of decays up to each step's own."""
    until: Float[Array, "... C J"]
    """The product of what comes after each step."""


def even(count: int) -> int:
    """The least number of steps, from `count` on, that halves again and again to 7 steps or less."""
    unit = 1 << max(count.bit_length() - 3, 0)
    return -(-count // unit) * unit


def products(e: Float[Array, "... C J"]) -> Decays:
    """All products of decays that `heard` needs; C is `even`."""
    count = e.shape[-2]
    halvings = (count & -count).bit_length() - 1  # 2 to this power divides it
    each = _blocks(e, count >> halvings)
    since, until = _in_leaf(each)
    levels = []
    for _ in range(halvings):
        levels.append(Level(until[..., 0::2, :, :], since[..., 1::2, :, :]))
        (left, right), (left_until, right_until) = _halves(since), _halves(until)
        since = jnp.concatenate([left, left[..., -1:, :] * right], -2)
        until = jnp.concatenate([left_until * right[..., -1:, :], right_until], -2)
    return Decays(each, tuple(levels), since[..., 0, :, :], until[..., 0, :, :])


def _halves(a: Float[Array, "... M c J"]) -> tuple[Array, Array]:
    return a[..., 0::2, :, :], a[..., 1::2, :, :]


def _in_leaf(e: Float[Array, "... c J"]) -> tuple[Array, Array]:
    """The products up to each step, and of what comes after it."""
    count = e.shape[-2]
    since, until = [e[..., :1, :]], [jnp.ones_like(e[..., :1, :])]
    for t in range(1, count):
        since.append(since[-1] * e[..., t : t + 1, :])
        until.append(until[-1] * e[..., count - t : count - t + 1, :])
    return jnp.concatenate(since, -2), jnp.concatenate(until[::-1], -2)


def heard(x: Float[Array, "... C K"], y: Float[Array, "... C K"], decays: Decays) -> Float[Array, "... C C"]:
    """sum_j x_tj y_sj (the product of e_j after step s, up to t) where s <= t, else 0."""
    leaf = decays.each.shape[-2]
    found = _heard_in_leaf(_blocks(x, leaf), _blocks(y, leaf), decays.each)
    for level in decays.levels:
        half = level.left.shape[-2]
        rows = _blocks(x, half)[..., 1::2, :, :] * level.right
        columns = _blocks(y, half)[..., 0::2, :, :] * level.left
        found = below(found, rows @ jnp.swapaxes(columns, -1, -2))
    return found[..., 0, :, :]


def _blocks(a: Float[Array, "... C K"], size: int) -> Float[Array, "... M h K"]:
    return a.reshape(*a.shape[:-2], a.shape[-2] // size, size, a.shape[-1])


def _heard_in_leaf(x: Float[Array, "... c K"], y: Float[Array, "... c K"], e: Float[Array, "... c J"]) -> Array:
    count = x.shape[-2]
    rows, held = [], y[..., :0, :]
    for t in range(count):
        held = jnp.concatenate([held * e[..., t : t + 1, :], y[..., t : t + 1, :]], -2)
        row = (x[..., t : t + 1, :] * held).sum(-1)
        rows.append(jnp.pad(row, [(0, 0)] * (row.ndim - 1) + [(0, count - t - 1)]))
    return jnp.stack(rows, -2)


def below(blocks: Float[Array, "... N h h"], corners: Float[Array, "... M h h"]) -> Float[Array, "... M c c"]:
    """[[left, 0], [corner, right]] of each pair of blocks."""
    left, right = blocks[..., 0::2, :, :], blocks[..., 1::2, :, :]
    upper = jnp.concatenate([left, jnp.zeros_like(left)], -1)
    return jnp.concatenate([upper, jnp.concatenate([corners, right], -1)], -2)


__all__ = ["Decays", "Level", "below", "even", "heard", "products"]
