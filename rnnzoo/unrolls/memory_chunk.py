"""One chunk of a matrix memory at once (the chunked form of linear attention with decays and delta rules).

The equations are those of `rnnzoo.cells.MatrixMemory`. Within a chunk, count t = 1..C, S_0 the matrix before it, and
E_ts the product of the decays of steps s + 1 to t, e_t = exp(g_t). With u_t = b_t^T S_tm1 the recurrence is a diagonal
one that writes a_t u_t^T and k_t v_t^T::

    S_t = E_t0 * S_0 + sum_{s<=t} E_ts * (a_s u_s^T + k_s v_s^T)
    u_t = (b_t * E_tm1,0)^T S_0 + sum_{s<t} (P_ts[b, a] u_s + P_ts[b, k] v_s)
    y_t = (q_t * E_t0)^T S_0 + sum_{s<=t} (Q_ts[q, a] u_s + Q_ts[q, k] v_s)

with Q_ts[x, y] = sum_j x_tj y_sj E_ts,j, and P the same with E_tm1,s: matrix products, and one unit lower triangular
system for u (Bischof & Van Loan 1987; Yang et al. 2024, arXiv:2406.06484).

A reset is a decay to 0. What the state goes back to decays from there on by products of its own, F_t, and what is read
before the write of that step is not heard at all from before it.

Arrays have the lanes in front: (B, N, C, K), with N heads.
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
    """Leaves (B, N, C, ...)."""
    active: Bool[Array, "B C"] | None
    """False where the state is held."""
    reset: Bool[Array, "B C"] | None
    """True where the state goes back to the initial one before the step."""


class Past(NamedTuple):
    """What steps hear of the steps before them, and of the matrices that these began with."""

    s: Float[Array, "B N K V"]
    """The matrix before the chunk."""
    fresh: Float[Array, "N K V"]
    """The matrix after a reset."""
    decays: Decays
    """Products E of decays, with resets as decays to 0."""
    weights: Float[Array, "B N C C"] | None
    """E_ts where there is one decay for all keys."""
    reset: Bool[Array, "B 1 C 1"] | None
    since: Float[Array, "B N C J"] | None
    """F_t: the product of decays since the last reset; 0 where there was none."""


def run_chunk(state: State, fresh: State, steps: Steps) -> tuple[State, Memory]:
    """The state after a chunk without stabilisers, and what was read at each step: {"y": (B, N, C, V)}.

    Args:
        state: before the chunk, leaves (B, N, ...).
        fresh: what a reset goes back to, leaves (N, ...).
        steps: the chunk.
    """
    m, past = steps.memory, _past(state["s"], fresh["s"], steps)
    writes = _writes(m, past)
    s = _at_end(past)
    for keys, values in writes:
        s = s + jnp.swapaxes(keys * past.decays.until, -1, -2) @ values
    if "u" in m:
        return _reading_first(state, m, past, steps.active, s)
    y = _of_start(m["q"], past)
    for keys, values in writes:
        y = y + _pairs(m["q"], keys, past) @ values
    return {"s": s}, {"y": y}


def _reading_first(state: State, m: Memory, past: Past, active: Array | None, s: Array) -> tuple[State, Memory]:
    """y_t from S_tm1 and the step's own write times u_t, which the state keeps."""
    y = _of_start_before(m["q"], past) + _pairs_before(m["q"], m["k"], past) @ m["v"]
    y = y + (m["q"] * m["u"] * m["k"]).sum(-1, keepdims=True) * m["v"]
    if active is None:
        return {"s": s, "y": y[..., -1, :]}, {"y": y}
    last = active.shape[-1] - 1 - jnp.argmax(active[:, ::-1], -1)
    found = jnp.take_along_axis(y, last[:, None, None, None], -2)[..., 0, :]
    return {"s": s, "y": jnp.where(active.any(-1)[:, None, None], found, state["y"])}, {"y": y}


def _writes(m: Memory, past: Past) -> list[tuple[Array, Array]]:
    """The keys and values that are written: k_t v_t^T and a_t u_t^T, or both as one where a = -k."""
    if "b" not in m:
        return [(m["k"], m["v"])]
    of_start = _of_start_before(m["b"], past)
    if "a" not in m:  # k_t (v_t - u_t)^T: v_t - u_t is what the system is solved for
        inverse = unit_lower_inverse(-_pairs_before(m["b"], m["k"], past))
        return [(m["k"], inverse @ (m["v"] - of_start))]
    inverse = unit_lower_inverse(_pairs_before(m["b"], m["a"], past))
    return [(m["k"], m["v"]), (m["a"], inverse @ (of_start + _pairs_before(m["b"], m["k"], past) @ m["v"]))]


# ---- what is heard -----------------------------------------------------------------------------------------


def _past(s_0: Array, fresh: Array, steps: Steps) -> Past:
    e, reset, since = jnp.exp(steps.memory["g"]), None, None
    if steps.reset is not None:
        reset = steps.reset[:, None, :, None]
        since = _since_reset(e, reset)
        e = jnp.where(reset, 0, e)
    decays = products(e)
    weights = None
    if e.shape[-1] == 1:
        ones = jnp.ones_like(e)
        weights = heard(ones, ones, decays)
    return Past(s_0, fresh, decays, weights, reset, since)


def _since_reset(e: Float[Array, "B N C J"], reset: Bool[Array, "B 1 C 1"]) -> Array:
    """F_t = e_t at a reset, else e_t F_tm1; F_0 = 0."""

    def join(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
        return first[0] * second[0], second[0] * first[1] + second[1]

    return lax.associative_scan(join, (jnp.where(reset, 0, e), jnp.where(reset, e, 0)), axis=-2)[1]


def _pairs(x: Array, y: Array, past: Past) -> Float[Array, "B N C C"]:
    """Q[x, y]."""
    if past.weights is None:
        return heard(x, y, past.decays)
    return (x @ jnp.swapaxes(y, -1, -2)) * past.weights


def _pairs_before(x: Array, y: Array, past: Past) -> Float[Array, "B N C C"]:
    """P[x, y]: what x_t hears before its step is what it would hear after the step before."""
    if past.reset is not None:
        x = jnp.where(past.reset, 0, x)
    if past.weights is None:
        ahead = jnp.concatenate([x[..., 1:, :], jnp.zeros_like(x[..., :1, :])], -2)
        return _later(heard(ahead, y, past.decays))
    return (x @ jnp.swapaxes(y, -1, -2)) * _later(past.weights)


def _of_start(x: Array, past: Past) -> Float[Array, "B N C V"]:
    """What rows x read, after their steps, of the matrices that these steps began with."""
    found = (x * past.decays.since) @ past.s
    return found if past.since is None else found + (x * past.since) @ past.fresh


def _of_start_before(x: Array, past: Past) -> Float[Array, "B N C V"]:
    """The same before their steps, but after a reset."""
    factors = _later(past.decays.since, 1.0)
    if past.reset is None or past.since is None:
        return (x * factors) @ past.s
    old = (x * jnp.where(past.reset, 0, factors)) @ past.s
    return old + (x * jnp.where(past.reset, 1, _later(past.since))) @ past.fresh


def _at_end(past: Past) -> Float[Array, "B N K V"]:
    """What is left of them after the last step."""
    found = past.decays.since[..., -1, :, None] * past.s
    return found if past.since is None else found + past.since[..., -1, :, None] * past.fresh


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
        inverse = below(inverse, right @ _corners(padded, 1 << level) @ left)
    return inverse[..., 0, :size, :size]


def _corners(a: Float[Array, "... C C"], half: int) -> Float[Array, "... M h h"]:
    """The lower left quarters of the blocks of 2 h on the diagonal."""
    count = a.shape[-1] // (2 * half)
    blocks = a.reshape(*a.shape[:-2], count, 2 * half, count, 2 * half)
    return jnp.moveaxis(jnp.diagonal(blocks, axis1=-4, axis2=-2), -1, -3)[..., half:, :half]


@unit_lower_inverse.defjvp
def _(primals, tangents):
    inverse = unit_lower_inverse(*primals)
    return inverse, inverse @ tangents[0] @ inverse


__all__ = ["Steps", "run_chunk", "unit_lower_inverse"]
