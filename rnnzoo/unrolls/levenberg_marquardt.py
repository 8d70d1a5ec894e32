"""Damped quasi-Newton steps by a parallel Kalman smoother: quasi-ELK (Gonzalez et al. 2024). arXiv:2407.19115"""

import jax.numpy as jnp
from jax import lax

from rnnzoo.spec import Positive, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float
from rnnzoo.unrolls.iterative import Iterative
from rnnzoo.unrolls.linearized import Steps
from rnnzoo.unrolls.prefix import solve
from rnnzoo.unrolls.shooting import Linear


@spec
class LevenbergMarquardt(Iterative):
    """Each correction d of the states at the borders of chunks minimises, for every unit and in parallel::

        sum_s (d_s - a_s d_sm1 - gap_s)**2 + damping * gap_s**2 * d_s**2

    with gap_s how far the chunk before ended from the state at border s, and a_s the product of diag(J_t) over that
    chunk. The second sum keeps corrections small where a exceeds 1, so that those of `QuasiNewton`, which it has for
    damping = 0, would grow without bound. It vanishes with the gap (Yamashita & Fukushima 2001). The paper has a
    fixed number in place of it, which leaves linear convergence. The minimum is the mean of a Kalman smoother, for
    which d_s is observed as 0 with variance ``1 / (damping * gap_s**2)``.

    That as many iterations as borders suffice does not hold here: where units jump between two stable states it may
    stop short."""

    damping: Positive = 0.01
    """How much a correction costs, relative to the gap."""

    def linear(self, steps: Steps) -> tuple[Algebra, Linear]:
        return Diagonal(), Steps.diagonals

    def correction(self, family: Algebra, a: Float[Array, "S N"], gap: Float[Array, "S N"]) -> Float[Array, "S N"]:
        a = a.at[0].set(0)  # nothing before the first border is unknown
        damping = self.damping * gap**2
        predicted = _variances(a, damping)
        gain = damping * predicted / (1 + damping * predicted)
        filtered = solve(family, (1 - gain) * a, (1 - gain) * gap, jnp.zeros_like(gap[0]))
        # Backwards: d_s = m_s + g_s (d_sp1 - a_sp1 m_s - gap_sp1), g_s = v_s a_sp1 / predicted_sp1
        variance = predicted / (1 + damping * predicted)
        back = variance[:-1] * a[1:] / predicted[1:]
        mean = filtered[:-1] - back * (a[1:] * filtered[:-1] + gap[1:])
        return jnp.concatenate([_solve_back(back, mean, filtered[-1]), filtered[-1:]])


def _solve_back(a: Float[Array, "S H"], b: Float[Array, "S H"], last: Float[Array, " H"]) -> Float[Array, "S H"]:
    """d_s = a_s d_sp1 + b_s, with `last` after the last; S may be 0."""
    return solve(Diagonal(), a, b, last, reverse=True) if a.shape[0] else b


def _variances(a: Float[Array, "S H"], damping: Float[Array, "S H"]) -> Float[Array, "S H"]:
    """The variance p_s of d_s before it is observed: p_s = a_s**2 v_sm1 + 1, and v_s = p_s / (1 + damping_s p_s) after.

    v is a fraction of linear functions of its predecessor, and so are products of such, as (2, 2) matrices; their scale
    has no meaning, and is kept at 1."""
    square, one = a**2, jnp.ones_like(a)
    # v_s = (a_s**2 v_sm1 + 1) / (damping_s a_s**2 v_sm1 + 1 + damping_s)
    maps = jnp.stack([jnp.stack([square, one]), jnp.stack([damping * square, 1 + damping])])

    def compose(first, second):
        product = jnp.einsum("ijth,jkth->ikth", second, first)
        return product / product.max((0, 1))

    maps = lax.associative_scan(compose, maps, axis=2)
    v = maps[0, 1] / maps[1, 1]  # of v = 0 before the first step
    return square * jnp.concatenate([jnp.zeros_like(v[:1]), v[:-1]]) + 1
