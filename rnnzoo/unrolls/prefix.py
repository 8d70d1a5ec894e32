"""A linear recurrence in parallel: what all unrolls that do not step from state to state have in common."""

import jax
import jax.numpy as jnp

from rnnzoo.structures.base import Algebra
from rnnzoo.typing import Array, Float, PyTree
from rnnzoo.unrolls.affine import Products
from rnnzoo.unrolls.chunked_associative import ChunkedAssociative


def solve(
    algebra: Algebra, a: PyTree, b: Float[Array, "T H"], h: Float[Array, " H"], reverse: bool = False
) -> Float[Array, "T H"]:
    """h_t = A_t h_tm1 + b_t at all t from `h` before the first step, T >= 1: a parallel prefix over the pairs (A, b)
    (Blelloch 1990), in chunks. `a` are prepared parameters of members of `algebra`, with a leading axis T;
    `reverse`: the last first."""
    if reverse:
        a, b = jax.tree.map(lambda leaf: jnp.flip(leaf, 0), (a, b))
    start = algebra.matvec(jax.tree.map(lambda leaf: leaf[0], a), h) + b[0]
    hs = ChunkedAssociative().system(Products.of(algebra), a, jnp.concatenate([start[None], b[1:]]))
    return jnp.flip(hs, 0) if reverse else hs
