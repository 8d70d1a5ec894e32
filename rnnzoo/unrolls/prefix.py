"""A linear recurrence in parallel: what all unrolls that do not step from state to state have in common."""

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.base import Algebra
from rnnzoo.typing import Array, Float, PyTree


def solve(
    algebra: Algebra, a: PyTree, b: Float[Array, "T H"], h: Float[Array, " H"], reverse: bool = False
) -> Float[Array, "T H"]:
    """h_t = A_t h_tm1 + b_t at all t from `h` before the first step, T >= 1: a parallel prefix over the pairs (A, b)
    (Blelloch 1990). `a` are parameters of members of `algebra`, with a leading axis T; `reverse`: the last first."""
    first = -1 if reverse else 0
    start = algebra.matvec(jax.tree.map(lambda leaf: leaf[first], a), h) + b[first]
    b = jnp.concatenate([b[:-1], start[None]] if reverse else [start[None], b[1:]])

    def compose(first, second):
        (a1, b1), (a2, b2) = first, second
        return algebra.compose(a2, a1), algebra.matvec(a2, b1) + b2

    return lax.associative_scan(lambda p, q: jax.vmap(compose)(p, q), (a, b), reverse=reverse)[1]
