"""One chunk of a matrix memory whose writes have strengths exp(i) without bounds, relative to a running maximum (mLSTM,
Beck et al. 2024, arXiv:2405.04517).

Here decays are logarithms, as strengths are: count t = 1..C, and G_t = g_1 + ... + g_t. What step t hears of the write
at s <= t is exp(G_t - G_s + i_s - m_t), with the largest of these exponents as m_t.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.typing import Array, Bool, Float, Int, State
from rnnzoo.unrolls.memory_chunk import Steps

LOW = -1e30  # the logarithm of nothing: finite, so that no difference is NaN


class StabilisedReads(NamedTuple):
    """What the steps of a chunk read, as a function of the state before it."""

    old: Float[Array, "... N C"]
    """The logarithm of what is left, at each step, of the matrix before the chunk."""
    m: Float[Array, "... N C"]
    """The largest exponent of what came after it."""
    rows: Float[Array, "... N C K"]
    own: Float[Array, "... N C V"]
    """What is read of that, times exp(-m)."""

    def at(self, state: State, found: Array | None) -> Memory:
        """What is read where the chunk begins with `state`: {"y": (..., N, C, V), "m": (..., N, C)}."""
        old = self.old + state["m"][..., None]
        m = jnp.maximum(old, self.m)
        y = jnp.exp(old - m)[..., None] * (self.rows @ state["s"]) + jnp.exp(self.m - m)[..., None] * self.own
        return {"y": y, "m": m}


class StabilisedTransition(NamedTuple):
    """What a chunk makes of the state before it."""

    old: Float[Array, "... N"]
    """The logarithm of what is left of it."""
    m: Float[Array, "... N"]
    """The largest exponent of what is written."""
    written: Float[Array, "... N K V"]
    """What is written, times exp(-m)."""

    def found(self, state: State) -> None:
        """Nothing is erased."""

    def after(self, state: State, found: Array | None = None) -> State:
        """The state after a chunk that begins with `state`."""
        m, s = self._added(state["m"], state["s"])
        return {"s": s, "m": m}

    def affine(self) -> "StabilisedTransition":
        """It joins with others as it is."""
        return self

    def join(self, second: "StabilisedTransition") -> "StabilisedTransition":
        """What this chunk, and then the `second` one, make of it."""
        return StabilisedTransition(self.old + second.old, *second._added(self.m, self.written))

    def _added(self, m: Array, s: Array) -> tuple[Array, Array]:
        old, own = self.old + m, self.m
        m = jnp.maximum(old, own)
        left, added = (jnp.exp(a - m)[..., None, None] for a in (old, own))
        return m, left * s + added * self.written


def stabilised_chunk(fresh: State, steps: Steps) -> tuple[StabilisedReads, StabilisedTransition]:
    """`memory_chunk` with stabilisers."""
    m, segment = steps.memory, None
    if steps.reset is not None:
        segment = jnp.cumsum(steps.reset, -1, dtype=jnp.int32)[..., None, :]  # how many resets there have been
    # A decay to nothing is one to the smallest number, lest -inf - -inf be NaN.
    g, i = jnp.maximum(m["g"][..., 0], jnp.log(jnp.finfo(m["g"].dtype).tiny)), m["i"][..., 0]
    total = jnp.cumsum(g, -1)
    written = total[..., :, None] - total[..., None, :] + i[..., None, :]
    written = jnp.where(_hears(g.shape[-1], segment), written, -jnp.inf)  # masked before exp, lest a gradient be NaN
    m_t = written.max(-1)
    old = total if segment is None else jnp.where(segment == 0, total, LOW)
    if segment is None:
        weights = jnp.exp(written - m_t[..., None])
        own, s = 0, 0
    else:
        since = jnp.where(segment == 0, LOW, total - _at_start(total - g, segment) + fresh["m"][..., None])
        m_t = jnp.maximum(m_t, since)
        weights, left = jnp.exp(written - m_t[..., None]), jnp.exp(since - m_t)[..., None]
        own, s = left * (m["q"] @ fresh["s"]), left[..., -1:, :] * fresh["s"]
    own = own + (weights * (m["q"] @ jnp.swapaxes(m["k"], -1, -2))) @ m["v"]
    s = s + jnp.swapaxes(weights[..., -1, :, None] * m["k"], -1, -2) @ m["v"]
    return StabilisedReads(old, m_t, m["q"], own), StabilisedTransition(old[..., -1], m_t[..., -1], s)


def _hears(count: int, segment: Int[Array, "... 1 C"] | None) -> Bool[Array, "... 1 C C"]:
    """Whether step t hears of step s: s <= t, and no reset in between."""
    hears = jnp.tril(jnp.ones((1, 1, count, count), bool))
    return hears if segment is None else hears & (segment[..., :, None] == segment[..., None, :])


def _at_start(before: Float[Array, "... N C"], segment: Int[Array, "... 1 C"]) -> Array:
    """The sum of logarithms before the first step since the last reset; 0 where there was none."""
    rises = jnp.diff(segment, axis=-1, prepend=0) > 0
    first = lax.cummax(jnp.where(rises, jnp.arange(segment.shape[-1]), 0), axis=segment.ndim - 1)
    return jnp.where(segment == 0, 0, jnp.take_along_axis(before, first, -1))


__all__ = ["LOW", "StabilisedReads", "StabilisedTransition", "stabilised_chunk"]
