"""A sequential loop in every chunk, all chunks at once, and a parallel prefix over chunks (Blelloch 1990)."""

import math
from typing import Annotated

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.spec import Range, spec
from rnnzoo.typing import Array, Float, PyTree
from rnnzoo.unrolls.affine import AffineUnroll, Products


@spec
class ChunkedAssociative(AffineUnroll):
    """`Associative` with less work and memory: per chunk, its steps are composed into one map h -> A h + b; a parallel
    prefix over these maps gives the state before every chunk; from there all chunks run step by step side by side.

    The products A live only within a chunk and over chunk borders, never at every step. Only for `Affine` cells."""

    chunk: Annotated[int, Range(low=2)] | None = None
    """Steps in a chunk (None: about sqrt(T))."""

    def _solve(self, products: Products, a: PyTree, b: Float[Array, "T ..."], reverse: bool) -> Float[Array, "T ..."]:
        time = b.shape[0]
        steps = min(self.chunk or max(2, math.isqrt(time)), max(2, time))
        count = -(-time // steps)

        def split(x):  # (T, ...) to (steps, count, ...)
            # Padding is harmless: forward it follows every state, backward it multiplies h = 0.
            x = jnp.pad(x, [(0, count * steps - time)] + [(0, 0)] * (x.ndim - 1))
            return jnp.moveaxis(x.reshape(count, steps, *x.shape[1:]), 1, 0)

        def run_chunk(h, ab_t):
            h = jax.vmap(products.apply)(ab_t[0], h) + ab_t[1]
            return h, h

        maps = jax.tree.map(split, (a, b))
        h = lax.scan(run_chunk, _starts(products, maps, reverse), maps, reverse=reverse)[1]
        return jnp.moveaxis(h, 0, 1).reshape(count * steps, *h.shape[2:])[:time]


def _starts(products: Products, maps: PyTree, reverse: bool) -> Float[Array, "N ..."]:
    """The state before each of N chunks, from its steps' maps (steps, N, ...)."""
    zero = jnp.zeros_like(maps[1][0, :1])
    if maps[1].shape[1] == 1:
        return zero
    first, rest = (-1, slice(0, -1)) if reverse else (0, slice(1, None))
    # No chunk follows the last one, so its map is not needed.
    maps = jax.tree.map(lambda x: x[:, 1:] if reverse else x[:, :-1], maps)
    join = jax.vmap(products.join)
    whole, _ = lax.scan(
        lambda done, step: (join(done, step), None),
        jax.tree.map(lambda x: x[first], maps),
        jax.tree.map(lambda x: x[rest], maps),
        reverse=reverse,
    )
    h = lax.associative_scan(join, whole, reverse=reverse)[1]
    return jnp.concatenate([h, zero] if reverse else [zero, h])
