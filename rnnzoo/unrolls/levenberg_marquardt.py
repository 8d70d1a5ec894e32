"""Damped quasi-Newton steps by a parallel Kalman smoother: quasi-ELK (Gonzalez et al. 2024). arXiv:2407.19115"""

import jax.numpy as jnp
from jax import lax

from rnnzoo.base import spec
from rnnzoo.registry import Positive
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float
from rnnzoo.unrolls.iterative import Iterative
from rnnzoo.unrolls.linearized import Steps
from rnnzoo.unrolls.prefix import solve


@spec
class LevenbergMarquardt(Iterative):
    """Each correction d minimises, for every unit and in parallel over time::

        sum_t (d_t - a_t d_tm1 - gap_t)**2 + damping * gap_t**2 * d_t**2
        gap_t = f(h_tm1, z_t) - h_t,    a_t = diag(df/dh at h_tm1)

    The second sum keeps corrections small where a_t exceeds 1, so that those of `QuasiNewton`, which it has for
    damping = 0, would grow without bound. It vanishes with the gap (Yamashita & Fukushima 2001). The paper has a
    fixed number in place of it, which leaves linear convergence. The minimum is the mean of a Kalman smoother, for
    which d_t is observed as 0 with variance ``1 / (damping * gap_t**2)``.

    That T iterations suffice does not hold here: where units jump between two stable states it may stop short."""

    damping: Positive = 1.0
    """How much a correction costs, relative to the gap."""

    def correction(self, steps: Steps, before: Float[Array, "T N"], gap: Float[Array, "T N"]) -> Float[Array, "T N"]:
        a, zero = steps.diagonals(before), steps.start * 0
        a = a.at[0].set(0)  # nothing before the first step is unknown
        damping = self.damping * gap**2
        predicted = _variances(a, damping)
        gain = damping * predicted / (1 + damping * predicted)
        filtered = solve(Diagonal(), (1 - gain) * a, (1 - gain) * gap, zero)
        # Backwards: d_t = m_t + g_t (d_tp1 - a_tp1 m_t - gap_tp1), g_t = v_t a_tp1 / predicted_tp1
        variance = predicted / (1 + damping * predicted)
        back = variance[:-1] * a[1:] / predicted[1:]
        mean = filtered[:-1] - back * (a[1:] * filtered[:-1] + gap[1:])
        return jnp.concatenate([_solve_back(back, mean, filtered[-1]), filtered[-1:]])


def _solve_back(a: Float[Array, "S H"], b: Float[Array, "S H"], last: Float[Array, " H"]) -> Float[Array, "S H"]:
    """d_t = a_t d_tp1 + b_t, with `last` after the last; S may be 0."""
    return solve(Diagonal(), a, b, last, reverse=True) if a.shape[0] else b


def _variances(a: Float[Array, "T H"], damping: Float[Array, "T H"]) -> Float[Array, "T H"]:
    """The variance p_t of d_t before it is observed: p_t = a_t**2 v_tm1 + 1, and v_t = p_t / (1 + damping_t p_t) after.

    v is a fraction of linear functions of its predecessor, and so are products of such, as (2, 2) matrices; their scale
    has no meaning, and is kept at 1."""
    square, one = a**2, jnp.ones_like(a)
    # v_t = (a_t**2 v_tm1 + 1) / (damping_t a_t**2 v_tm1 + 1 + damping_t)
    maps = jnp.stack([jnp.stack([square, one]), jnp.stack([damping * square, 1 + damping])])

    def compose(first, second):
        product = jnp.einsum("ijth,jkth->ikth", second, first)
        return product / product.max((0, 1))

    maps = lax.associative_scan(compose, maps, axis=2)
    v = maps[0, 1] / maps[1, 1]  # of v = 0 before the first step
    return square * jnp.concatenate([jnp.zeros_like(v[:1]), v[:-1]]) + 1
