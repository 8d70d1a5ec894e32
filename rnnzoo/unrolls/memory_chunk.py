"""One chunk of a matrix memory at once (the chunked form of linear attention with decays and delta rules).

The equations are those of `rnnzoo.cells.MatrixMemory`. Within a chunk, count t = 1..C, S_0 the matrix before it, and
G_t = g_1 + ... + g_t. With u_t = b_t^T S_tm1 the recurrence is a diagonal one that writes a_t u_t^T and k_t v_t^T::

    S_t = exp(G_t) * S_0 + sum_{s<=t} exp(G_t - G_s) * (a_s u_s^T + k_s v_s^T)
    u_t = (b_t * exp(G_tm1))^T S_0 + sum_{s<t} (P_ts[b, a] u_s + P_ts[b, k] v_s)
    y_t = (q_t * exp(G_t))^T S_0 + sum_{s<=t} (Q_ts[q, a] u_s + Q_ts[q, k] v_s)

with P_ts[x, y] = sum_j x_tj y_sj exp(G_tm1,j - G_sj), and Q the same with G_t: matrix products, and one unit lower
triangular system for u (Bischof & Van Loan 1987; Yang et al. 2024, arXiv:2406.06484). Every exponent is a difference of
two G, formed before exp, and never above 0, so that no decay overflows.

Arrays have the lanes in front: (B, N, C, K), with N heads.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.typing import Array, Bool, Float, Int, State

BLOCK = 16  # steps in a block of decays by key, whose exponents are one array (BLOCK, BLOCK, K)
LOW = -1e30  # the logarithm of nothing: finite, so that no difference is NaN


class Steps(NamedTuple):
    """What happens at the C steps of a chunk. Leaves (B, N, C, ...); `active` and `segment` (B, C)."""

    memory: Memory
    active: Bool[Array, "B C"] | None
    """False where the state is held."""
    segment: Int[Array, "B C"] | None
    """How many resets there have been in the chunk, up to and including each step."""


class Levels(NamedTuple):
    """Sums of log decays, and which steps hear which."""

    after: Float[Array, "B N C K"]
    """G_t, after the decay of each step."""
    before: Float[Array, "B N C K"]
    """G_tm1."""
    start: Float[Array, "B N C K"] | None
    """G before the first step since the last reset; None: 0 everywhere."""
    hears: Bool[Array, "#B #N C C"]
    """Whether step t hears what step s <= t has written: False where there was a reset in between."""


def run_chunk(state: State, fresh: State, steps: Steps) -> tuple[State, Memory]:
    """The state after a chunk, and what was read at each of its steps: {"y": (B, N, C, V)}, and "m" (B, N, C).

    Args:
        state: before the chunk, leaves (B, N, ...).
        fresh: what a reset goes back to, leaves (N, ...).
        steps: the chunk.
    """
    levels = _levels(steps)
    if "i" in steps.memory:
        return _stabilised(state, fresh, steps, levels)
    m = steps.memory
    base = functools.partial(_from_start, state["s"], fresh["s"], steps.segment, levels.start)
    writes = _writes(m, levels, base)
    ends = _kept(levels.after[..., -1:, :] - levels.after, levels.hears[..., -1, :, None])
    s = _at_end(state["s"], fresh["s"], steps.segment, levels)
    s = s + sum(jnp.einsum("bnck,bncv->bnkv", keys * ends, values) for keys, values in writes)
    if "u" in m:
        return _reading_first(state, m, levels, base, steps.active, s)
    y = base(m["q"], levels.after)
    for keys, values in writes:
        y = y + _pairs(m["q"], keys, levels.after, levels, levels.hears) @ values
    return {"s": s}, {"y": y}


def _reading_first(state: State, m: Memory, levels: Levels, base, active, s: Array) -> tuple[State, Memory]:
    """y_t from S_tm1 and the step's own write times u_t, which the state keeps."""
    y = base(m["q"], levels.before) + _pairs(m["q"], m["k"], levels.before, levels, _strictly(levels.hears)) @ m["v"]
    y = y + (m["q"] * m["u"] * m["k"]).sum(-1, keepdims=True) * m["v"]
    if active is None:
        return {"s": s, "y": y[..., -1, :]}, {"y": y}
    last = active.shape[-1] - 1 - jnp.argmax(active[:, ::-1], -1)
    found = jnp.take_along_axis(y, last[:, None, None, None], -2)[..., 0, :]
    return {"s": s, "y": jnp.where(active.any(-1)[:, None, None], found, state["y"])}, {"y": y}


def _writes(m: Memory, levels: Levels, base) -> list[tuple[Array, Array]]:
    """The keys and values that are written: k_t v_t^T and a_t u_t^T, or both as one where a = -k."""
    if "b" not in m:
        return [(m["k"], m["v"])]
    pairs = functools.partial(_pairs, levels_x=levels.before, levels=levels, mask=_strictly(levels.hears))
    from_start = base(m["b"], levels.before)
    if "a" not in m:  # k_t (v_t - u_t)^T: v_t - u_t is what the system is solved for
        inverse = unit_lower_inverse(-pairs(m["b"], m["k"]))
        return [(m["k"], inverse @ (m["v"] - from_start))]
    inverse = unit_lower_inverse(pairs(m["b"], m["a"]))
    return [(m["k"], m["v"]), (m["a"], inverse @ (from_start + pairs(m["b"], m["k"]) @ m["v"]))]


def _stabilised(state: State, fresh: State, steps: Steps, levels: Levels) -> tuple[State, Memory]:
    """The chunk with input strengths exp(i_t), relative to a running maximum m_t."""
    m, segment = steps.memory, steps.segment
    g, i = levels.after[..., 0], m["i"][..., 0]  # (B, N, C)
    since = g if levels.start is None else g - levels.start[..., 0]
    m_0 = state["m"][..., None]
    if segment is not None:
        m_0 = jnp.where(segment[:, None] == 0, m_0, fresh["m"][:, None])
    old = since + m_0  # the logarithm of what is left of the matrix that the segment began with
    written = jnp.where(levels.hears, g[..., :, None] - g[..., None, :] + i[..., None, :], -jnp.inf)  # (B, N, C, C)
    m_t = jnp.maximum(old, written.max(-1))
    weights, left = jnp.exp(written - m_t[..., None]), jnp.exp(old - m_t)[..., None]
    plain = functools.partial(_from_start, state["s"], fresh["s"], segment, None)
    y = left * plain(m["q"], None) + (weights * (m["q"] @ jnp.swapaxes(m["k"], -1, -2))) @ m["v"]
    s_0 = _began_with(state["s"], fresh["s"], segment)
    s = left[..., -1:, :] * s_0 + jnp.einsum("bnc,bnck,bncv->bnkv", weights[..., -1, :], m["k"], m["v"])
    return {"s": s, "m": m_t[..., -1]}, {"y": y, "m": m_t}


# ---- decays ------------------------------------------------------------------------------------------------


def _levels(steps: Steps) -> Levels:
    g, segment = steps.memory["g"], steps.segment
    after = jnp.cumsum(g, -2)
    before, count = after - g, g.shape[-2]
    hears = jnp.tril(jnp.ones((1, 1, count, count), bool))
    if segment is None:
        return Levels(after, before, None, hears)
    hears = hears & (segment[:, None, :, None] == segment[:, None, None, :])
    # The first step since the last reset: the one before which the count of resets rose last.
    first = lax.cummax(jnp.where(jnp.diff(segment, axis=-1, prepend=0) > 0, jnp.arange(count), 0), axis=1)
    start = jnp.take_along_axis(before, first[:, None, :, None], -2)
    return Levels(after, before, jnp.where((segment == 0)[:, None, :, None], 0, start), hears)


def _from_start(s_0: Array, fresh: Array, segment, start, x: Array, levels_x: Array | None) -> Array:
    """What rows x read, at their levels, of the matrix that their segment began with."""
    if levels_x is not None:
        x = x * jnp.exp(levels_x if start is None else levels_x - start)
    if segment is None:
        return x @ s_0
    is_old = (segment == 0)[:, None, :, None]
    return jnp.where(is_old, x, 0) @ s_0 + jnp.where(is_old, 0, x) @ fresh


def _began_with(s_0: Array, fresh: Array, segment) -> Array:
    """The matrix that the last segment began with."""
    return s_0 if segment is None else jnp.where((segment[:, -1] == 0)[:, None, None, None], s_0, fresh)


def _at_end(s_0: Array, fresh: Array, segment, levels: Levels) -> Array:
    """What is left of it after the last step."""
    last = levels.after[..., -1, :]
    last = last if levels.start is None else last - levels.start[..., -1, :]
    return jnp.exp(last)[..., None] * _began_with(s_0, fresh, segment)


def _strictly(hears: Bool[Array, "... C C"]) -> Bool[Array, "... C C"]:
    return hears & ~jnp.eye(hears.shape[-1], dtype=bool)


def _kept(exponent: Array, where: Array) -> Array:
    """exp(exponent) where it is heard, else 0. Masked before exp, lest a gradient be 0 times infinity."""
    return jnp.exp(jnp.where(where, exponent, -jnp.inf))


def _pairs(x: Array, y: Array, levels_x: Array, levels: Levels, mask: Array) -> Float[Array, "B N C C"]:
    """sum_j x_tj y_sj exp(levels_x_tj - G_sj) where the mask is, else 0."""
    if levels_x.shape[-1] == 1:
        return (x @ jnp.swapaxes(y, -1, -2)) * _kept(levels_x - jnp.swapaxes(levels.after, -1, -2), mask)
    count = x.shape[-2] // block_of(x.shape[-2])
    rows, columns = _blocks(x, count), _blocks(y, count)
    level_rows, level_columns = _blocks(levels_x, count), _blocks(levels.after, count)
    diagonal = _blocks_on_diagonal(mask, count)
    on = jnp.einsum(
        "bnick,bnisk,bnicsk->bnics",
        rows, columns, _kept(level_rows[..., :, None, :] - level_columns[..., None, :, :], diagonal[..., None]),
    )  # fmt: skip
    if count == 1:
        return on[:, :, 0]
    # Blocks of rows hear earlier blocks by products: exp(G_t - G_s) = exp(G_t - r) exp(r - G_s), r the level before the
    # first step of the rows' block, so that both factors are at most 1.
    reference = _blocks(levels.before, count)[..., :1, :]
    rows = rows * jnp.exp(level_rows - reference)
    earlier = jnp.exp(jnp.minimum(reference - levels.after[..., None, :, :], 0)) * y[..., None, :, :]
    off = jnp.einsum("bnick,bnisk->bnics", rows, earlier)
    block = jnp.arange(count * rows.shape[-2]) // rows.shape[-2]
    off = jnp.where((block[:, None] > block[None]) & mask, off.reshape(*off.shape[:2], *mask.shape[-2:]), 0)
    return off + _spread(on)


def block_of(count: int) -> int:
    """Steps in a block of a chunk with so many."""
    return BLOCK if count > BLOCK else count


def even(count: int) -> int:
    """The least number of steps, from `count` on, that `run_chunk` takes."""
    return -(-count // block_of(count)) * block_of(count)


def _blocks(a: Array, count: int) -> Array:
    """(..., C, K) as (..., count, C / count, K)."""
    return a.reshape(*a.shape[:-2], count, -1, a.shape[-1])


def _blocks_on_diagonal(a: Array, count: int) -> Array:
    """Of matrices (..., C, C), the blocks on the diagonal: (..., count, C / count, C / count)."""
    size = a.shape[-1] // count
    each = a.reshape(*a.shape[:-2], count, size, count, size)
    return jnp.moveaxis(jnp.diagonal(each, axis1=-4, axis2=-2), -1, -3)


def _spread(blocks: Array) -> Array:
    """Matrices with these blocks on the diagonal, and 0 elsewhere."""
    count, size = blocks.shape[-3:-1]
    eye = jnp.eye(count, dtype=blocks.dtype)
    wide = blocks[..., :, :, None, :] * eye[:, None, :, None]
    return wide.reshape(*blocks.shape[:-3], count * size, count * size)


# ---- the triangular system ---------------------------------------------------------------------------------


@jax.custom_jvp
def unit_lower_inverse(a: Float[Array, "... C C"]) -> Float[Array, "... C C"]:
    """(I - A)^-1 of a strictly lower triangular A, by halves: from the inverses of the blocks of size 1, 2, 4, ... on
    the diagonal, [[L, 0], [-A, M]]^-1 = [[L^-1, 0], [M^-1 A L^-1, M^-1]].

    Stable for keys that are all alike, where the shorter product (I + A)(I + A^2)(I + A^4)... loses every digit."""
    size = a.shape[-1]
    power = 1 << max(size - 1, 0).bit_length()
    padded = jnp.pad(a, [(0, 0)] * (a.ndim - 2) + [(0, power - size)] * 2)
    inverse = jnp.ones((*a.shape[:-2], power, 1, 1), a.dtype)
    half = 1
    while half < power:
        count = power // (2 * half)
        below = _blocks_on_diagonal(padded, count)[..., half:, :half]
        top, bottom = inverse[..., 0::2, :, :], inverse[..., 1::2, :, :]
        upper = jnp.concatenate([top, jnp.zeros_like(top)], -1)
        inverse = jnp.concatenate([upper, jnp.concatenate([bottom @ below @ top, bottom], -1)], -2)
        half *= 2
    return inverse[..., 0, :size, :size]


@unit_lower_inverse.defjvp
def _(primals, tangents):
    inverse = unit_lower_inverse(*primals)
    return inverse, inverse @ tangents[0] @ inverse


__all__ = ["BLOCK", "LOW", "Steps", "even", "run_chunk", "unit_lower_inverse"]
