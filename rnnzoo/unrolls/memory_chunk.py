"""A chunk of a matrix memory as one affine map (the chunked form of linear attention with decays and delta rules).

The equations are those of `rnnzoo.cells.MatrixMemory`. Within a chunk, count t = 1..C, S_0 the matrix before it, and
E_ts the product of the decays of steps s + 1 to t, e_t = exp(g_t). With u_t = b_t^T S_tm1 the recurrence is a diagonal
one that writes a_t u_t^T and k_t v_t^T::

    S_t = E_t0 * S_0 + sum_{s<=t} E_ts * (a_s u_s^T + k_s v_s^T)
    u_t = (b_t * E_tm1,0)^T S_0 + sum_{s<t} (P_ts[b, a] u_s + P_ts[b, k] v_s)
    y_t = (q_t * E_t0)^T S_0 + sum_{s<=t} (Q_ts[q, a] u_s + Q_ts[q, k] v_s)

with Q_ts[x, y] = sum_j x_tj y_sj E_ts,j, and P the same with E_tm1,s: matrix products, and one unit lower triangular
system for u (Bischof & Van Loan 1987; Yang et al. 2024, arXiv:2406.06484). All of it is affine in S_0: what a chunk
reads and leaves is found without S_0, for all chunks at once.

A reset is a decay to 0. What the state goes back to decays from there on by products of its own, F_t, and what is read
before the write of that step is not heard at all from before it.

Arrays have the lanes in front: (..., N, C, K), such as (groups, batch, heads).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.typing import Array, Bool, Float, State
from rnnzoo.unrolls.decays import Decays, below, heard, products


class Steps(NamedTuple):
    """What happens at the C steps of a chunk; C is `rnnzoo.unrolls.decays.even`."""

    memory: Memory
    """Leaves (..., N, C, ...)."""
    active: Bool[Array, "... C"] | None
    """False where the state is held."""
    reset: Bool[Array, "... C"] | None
    """True where the state goes back to the initial one before the step."""


class Affine(NamedTuple):
    """A chunk as a map of the state before it, in the form that two of them join in."""

    left: Float[Array, "... N K K"] | Float[Array, "... N J"]
    """A matrix, or its diagonal: J = K numbers, or 1 for all."""
    written: Float[Array, "... N K V"]

    def after(self, state: State) -> State:
        """The state after a chunk that begins with `state`."""
        return {"s": self._times(state["s"]) + self.written}

    def join(self, second: "Affine") -> "Affine":
        """This chunk, and then the `second` one."""
        left = second._times(self.left) if self._is_matrix else second.left * self.left
        return Affine(left, second._times(self.written) + second.written)

    @property
    def _is_matrix(self) -> bool:
        return self.left.ndim == self.written.ndim

    def _times(self, s: Array) -> Array:
        return self.left @ s if self._is_matrix else self.left[..., None] * s


class Erased(NamedTuple):
    """What is erased, or put in its place, at each step: keys_t (rows_t @ S_0 + own_t)."""

    keys: Float[Array, "... N C K"]
    rows: Float[Array, "... N C K"]
    own: Float[Array, "... N C V"]


class Transition(NamedTuple):
    """What a chunk makes of the state before it: left * S_0 + written + keys^T (rows @ S_0 + own)."""

    left: Float[Array, "... N J"]
    written: Float[Array, "... N K V"] | None
    """None for zeros."""
    erased: Erased | None
    """With keys as they are left after the last step."""

    def found(self, state: State) -> Array | None:
        """rows @ S_0 + own, where the chunk begins with `state`."""
        return None if self.erased is None else self.erased.rows @ state["s"] + self.erased.own

    def after(self, state: State, found: Array | None) -> State:
        """The state after a chunk that begins with `state`."""
        s = self.left[..., None] * state["s"]
        if self.written is not None:
            s = s + self.written
        if self.erased is not None and found is not None:
            s = s + jnp.swapaxes(self.erased.keys, -1, -2) @ found
        return {"s": s}

    def affine(self) -> Affine:
        """The same as a map that joins with others."""
        if self.erased is None:
            assert self.written is not None
            return Affine(self.left, self.written)
        keys = jnp.swapaxes(self.erased.keys, -1, -2)
        left = self.left[..., None] * jnp.eye(keys.shape[-2], dtype=keys.dtype) + keys @ self.erased.rows
        return Affine(left, _sum(self.written, keys @ self.erased.own))


class Reads(NamedTuple):
    """What the steps of a chunk read: rows @ S_0 + own, and weighted sums of what is erased."""

    rows: Float[Array, "... N C K"]
    own: Float[Array, "... N C V"] | None
    weights: Float[Array, "... N C C"] | None

    def at(self, state: State, found: Array | None) -> Memory:
        """What is read where the chunk begins with `state`, and its transition has `found`: {"y": (..., N, C, V)}."""
        y = self.rows @ state["s"]
        if self.own is not None:
            y = y + self.own
        return {"y": y if self.weights is None or found is None else y + self.weights @ found}


def memory_chunk(fresh: State, steps: Steps) -> tuple[Reads, Transition]:
    """What a chunk without stabilisers reads and leaves.

    Args:
        fresh: what a reset goes back to, leaves (N, ...).
        steps: the chunk.
    """
    m, past = steps.memory, _past(fresh["s"], steps)
    reads_first, until = "u" in m, past.decays.until
    pairs = _pairs_before if reads_first else _pairs
    rows, own = (_of_start_before if reads_first else _of_start)(m["q"], past)
    if reads_first:
        own = _sum(own, (m["q"] * m["u"] * m["k"]).sum(-1, keepdims=True) * m["v"])
    left, written = past.decays.since[..., -1, :], None
    if past.since is not None:
        written = past.since[..., -1, :, None] * past.fresh
    if "b" not in m or "a" in m:  # k_t v_t^T by itself
        own = _sum(own, pairs(m["q"], m["k"], past) @ m["v"])
        written = _sum(written, jnp.swapaxes(m["k"] * until, -1, -2) @ m["v"])
    if "b" not in m:
        return Reads(rows, own, None), Transition(left, written, None)
    erased = _erased(m, past)
    reads = Reads(rows, own, pairs(m["q"], erased.keys, past))
    return reads, Transition(left, written, erased._replace(keys=erased.keys * until))


def _erased(m: Memory, past: "Past") -> Erased:
    """The rest of what is written: a_t u_t^T, or k_t (v_t - u_t)^T where a = -k, which is one write instead of two."""
    start, keys = _of_start_before(m["b"], past), m["a"] if "a" in m else m["k"]
    weights = _pairs_before(m["b"], keys, past)
    if "a" in m:
        own = _sum(start.own, _pairs_before(m["b"], m["k"], past) @ m["v"])
        inverse = unit_lower_inverse(weights)
        return Erased(keys, inverse @ start.rows, inverse @ own)
    own = m["v"] if start.own is None else m["v"] - start.own
    inverse = unit_lower_inverse(-weights)
    return Erased(keys, -inverse @ start.rows, inverse @ own)


def _sum(a: Array | None, b: Array) -> Array:
    return b if a is None else a + b


class Rows(NamedTuple):
    """Rows that are affine in the matrix before the chunk: rows @ S_0 + own."""

    rows: Float[Array, "... C K"]
    own: Float[Array, "... C V"] | None
    """None for zeros."""


class Past(NamedTuple):
    """What steps hear of the steps before them, and of the matrices that these began with."""

    fresh: Float[Array, "N K V"]
    """The matrix after a reset."""
    decays: Decays
    """Products E of decays, with resets as decays to 0."""
    weights: Float[Array, "... N C C"] | None
    """E_ts where there is one decay for all keys."""
    reset: Bool[Array, "... 1 C 1"] | None
    since: Float[Array, "... N C J"] | None
    """F_t: the product of decays since the last reset; 0 where there was none."""


def _past(fresh: Array, steps: Steps) -> Past:
    e, reset, since = jnp.exp(steps.memory["g"]), None, None
    if steps.reset is not None:
        reset = steps.reset[..., None, :, None]
        since = _since_reset(e, reset)
        e = jnp.where(reset, 0, e)
    decays = products(e)
    weights = None
    if e.shape[-1] == 1:
        ones = jnp.ones_like(e)
        weights = heard(ones, ones, decays)
    return Past(fresh, decays, weights, reset, since)


def _since_reset(e: Float[Array, "... N C J"], reset: Bool[Array, "... 1 C 1"]) -> Array:
    """F_t = e_t at a reset, else e_t F_tm1; F_0 = 0."""

    def join(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
        return first[0] * second[0], second[0] * first[1] + second[1]

    return lax.associative_scan(join, (jnp.where(reset, 0, e), jnp.where(reset, e, 0)), axis=-2)[1]


def _pairs(x: Array, y: Array, past: Past) -> Float[Array, "... N C C"]:
    """Q[x, y]."""
    if past.weights is None:
        return heard(x, y, past.decays)
    return (x @ jnp.swapaxes(y, -1, -2)) * past.weights


def _pairs_before(x: Array, y: Array, past: Past) -> Float[Array, "... N C C"]:
    """P[x, y]: what x_t hears before its step is what it would hear after the step before."""
    if past.reset is not None:
        x = jnp.where(past.reset, 0, x)
    if past.weights is None:
        ahead = jnp.concatenate([x[..., 1:, :], jnp.zeros_like(x[..., :1, :])], -2)
        return _later(heard(ahead, y, past.decays))
    return (x @ jnp.swapaxes(y, -1, -2)) * _later(past.weights)


def _of_start(x: Array, past: Past) -> Rows:
    """What rows x read, after their steps, of the matrices that these steps began with."""
    return Rows(x * past.decays.since, None if past.since is None else (x * past.since) @ past.fresh)


def _of_start_before(x: Array, past: Past) -> Rows:
    """The same before their steps, but after a reset."""
    factors = _later(past.decays.since, 1.0)
    if past.reset is None or past.since is None:
        return Rows(x * factors, None)
    own = (x * jnp.where(past.reset, 1, _later(past.since))) @ past.fresh
    return Rows(x * jnp.where(past.reset, 0, factors), own)


def _later(a: Float[Array, "... C L"], first: float = 0.0) -> Float[Array, "... C L"]:
    """Each row one step later, and a first one that is filled."""
    return jnp.concatenate([jnp.full_like(a[..., :1, :], first), a[..., :-1, :]], -2)


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
    for level in range(power.bit_length() - 1):
        left, right = inverse[..., 0::2, :, :], inverse[..., 1::2, :, :]
        product = _small if level < 3 else jnp.matmul
        inverse = below(inverse, product(product(right, _corners(padded, 1 << level)), left))
    return inverse[..., 0, :size, :size]


def _small(a: Float[Array, "... h h"], b: Float[Array, "... h h"]) -> Float[Array, "... h h"]:
    """a @ b of matrices so small that calls of a library cost more than the product."""
    return (a[..., :, :, None] * b[..., None, :, :]).sum(-2)


def _corners(a: Float[Array, "... C C"], half: int) -> Float[Array, "... M h h"]:
    """The lower left quarters of the blocks of 2 h on the diagonal."""
    count = a.shape[-1] // (2 * half)
    blocks = a.reshape(*a.shape[:-2], count, 2 * half, count, 2 * half)
    return jnp.moveaxis(jnp.diagonal(blocks, axis1=-4, axis2=-2), -1, -3)[..., half:, :half]


@unit_lower_inverse.defjvp
def _(primals, tangents):
    inverse = unit_lower_inverse(*primals)
    return inverse, inverse @ tangents[0] @ inverse


__all__ = ["Affine", "Reads", "Steps", "Transition", "memory_chunk", "unit_lower_inverse"]
