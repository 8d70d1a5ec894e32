"""One chunk of a matrix memory whose writes have strengths exp(i) without bounds, relative to a running maximum (mLSTM,
Beck et al. 2024, arXiv:2405.04517).

Here decays are logarithms, as strengths are: count t = 1..C, and G_t = g_1 + ... + g_t. What step t hears of the write
at s <= t is exp(G_t - G_s + i_s - m_t), with the largest of these exponents as m_t.
"""

import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.typing import Array, Bool, Float, Int, State
from rnnzoo.unrolls.memory_chunk import Steps

LOW = -1e30  # the logarithm of nothing: finite, so that no difference is NaN


def run_stabilised(state: State, fresh: State, steps: Steps) -> tuple[State, Memory]:
    """`run_chunk` with stabilisers: what was read is {"y": (B, N, C, V), "m": (B, N, C)}."""
    m, segment = steps.memory, None
    if steps.reset is not None:
        segment = jnp.cumsum(steps.reset, -1, dtype=jnp.int32)[:, None]  # how many resets there have been
    # A decay to nothing is one to the smallest number, lest -inf - -inf be NaN.
    g, i = jnp.maximum(m["g"][..., 0], jnp.log(jnp.finfo(m["g"].dtype).tiny)), m["i"][..., 0]
    total = jnp.cumsum(g, -1)
    old = (total if segment is None else total - _at_start(total - g, segment)) + _first(state, fresh, "m", segment)
    written = total[..., :, None] - total[..., None, :] + i[..., None, :]
    written = jnp.where(_hears(g.shape[-1], segment), written, -jnp.inf)  # masked before exp, lest a gradient be NaN
    m_t = jnp.maximum(old, written.max(-1))
    weights, left = jnp.exp(written - m_t[..., None]), jnp.exp(old - m_t)[..., None]
    y = left * _read_of_start(m["q"], state["s"], fresh["s"], segment)
    y = y + (weights * (m["q"] @ jnp.swapaxes(m["k"], -1, -2))) @ m["v"]
    s_0 = state["s"] if segment is None else jnp.where(segment[..., -1, None, None] == 0, state["s"], fresh["s"])
    s = left[..., -1:, :] * s_0 + jnp.swapaxes(weights[..., -1, :, None] * m["k"], -1, -2) @ m["v"]
    return {"s": s, "m": m_t[..., -1]}, {"y": y, "m": m_t}


def _hears(count: int, segment: Int[Array, "B 1 C"] | None) -> Bool[Array, "#B 1 C C"]:
    """Whether step t hears of step s: s <= t, and no reset in between."""
    hears = jnp.tril(jnp.ones((1, 1, count, count), bool))
    return hears if segment is None else hears & (segment[..., :, None] == segment[..., None, :])


def _at_start(before: Float[Array, "B N C"], segment: Int[Array, "B 1 C"]) -> Array:
    """The sum of logarithms before the first step since the last reset; 0 where there was none."""
    rises = jnp.diff(segment, axis=-1, prepend=0) > 0
    first = lax.cummax(jnp.where(rises, jnp.arange(segment.shape[-1]), 0), axis=segment.ndim - 1)
    return jnp.where(segment == 0, 0, jnp.take_along_axis(before, first, -1))


def _first(state: State, fresh: State, name: str, segment: Int[Array, "B 1 C"] | None) -> Array:
    """The number (B, N) of the state that each step's segment began with: (B, N, C), or (B, N, 1) for all steps."""
    old = state[name][..., None]
    return old if segment is None else jnp.where(segment == 0, old, fresh[name][:, None])


def _read_of_start(q: Array, s_0: Array, fresh: Array, segment: Int[Array, "B 1 C"] | None) -> Array:
    """What q reads of the matrix that each step's segment began with."""
    if segment is None:
        return q @ s_0
    is_old = (segment == 0)[..., None]
    return jnp.where(is_old, q, 0) @ s_0 + jnp.where(is_old, 0, q) @ fresh


__all__ = ["LOW", "run_stabilised"]
