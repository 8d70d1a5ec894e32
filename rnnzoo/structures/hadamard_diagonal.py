"""Diagonals between Walsh-Hadamard transforms (Le et al. 2013, Fastfood; Moczulski et al. 2016, ACDC, arXiv:1511.05946,
has cosine transforms)."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import check_power_of_two
from rnnzoo.typing import Array, Float, Key


@spec
class HadamardDiagonal(Structure):
    """U = diag(u[0]) W diag(u[1]) W diag(u[2]), u (3, H), with the orthogonal Walsh-Hadamard matrix::

        W[i, j] = (-1)^(number of bits set in i & j) / sqrt(H)

    Initially random signs, so that U is orthogonal (Yu et al. 2016, arXiv:1610.09072). Of the 3 H parameters, 2 are
    redundant: of the three scales, only their product matters."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        check_power_of_two(self, size)

    def init(self, key: Key, size: int) -> Float[Array, "3 H"]:
        return jax.random.rademacher(key, (3, size), float)

    def matvec(self, u: Float[Array, "3 H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u[0] * walsh(u[1] * walsh(u[2] * h))

    def nonzeros(self, size: int) -> int:
        return size**2

    def flops_per_step(self, size: int) -> int:
        return 2 * size * (size.bit_length() + 1)


def walsh(h: Float[Array, " H"]) -> Float[Array, " H"]:
    """W h, in log2 H passes."""
    size = h.shape[0]
    for _ in range(size.bit_length() - 1):
        even, odd = h[0::2], h[1::2]
        h = jnp.concatenate([even + odd, even - odd])
    return h / math.sqrt(size)
