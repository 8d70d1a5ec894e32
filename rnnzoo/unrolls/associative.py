"""A parallel prefix over the steps of an affine cell (Blelloch 1990; Martin & Cundy 2018, arXiv:1709.04057)."""

import jax
from jax import lax

from rnnzoo.spec import spec
from rnnzoo.typing import Array, Float, PyTree
from rnnzoo.unrolls.affine import AffineUnroll, Products


@spec
class Associative(AffineUnroll):
    """O(log T) deep where there are processors for it: h_t = A_t h_tm1 + b_t composes as (A, b) pairs do.

    On a CPU it does about three times the work of `Scan` and is slower. Only for `Affine` cells."""

    def _solve(self, products: Products, a: PyTree, b: Float[Array, "T ..."], reverse: bool) -> Float[Array, "T ..."]:
        return lax.associative_scan(jax.vmap(products.join), (a, b), reverse=reverse)[1]
