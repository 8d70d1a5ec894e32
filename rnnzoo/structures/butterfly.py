"""The butterfly: the sparse factors of a fast Fourier transform, learned (Dao et al. 2019, arXiv:1903.05895)."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import check_power_of_two
from rnnzoo.typing import Array, Float, Key


@spec
class Butterfly(Structure):
    """U = F[L - 1] ... F[1] F[0], L = log2 H, u (L, H / 2, 2, 2). Factor k mixes pairs of units whose numbers
    differ in bit k, with s = 2^k::

        F[k][(2 q + i) s + r, (2 q + j) s + r] = u[k, q s + r, i, j]        0 <= r < s

    Initially every pair is a random rotation, so that U is orthogonal. Of the 2 H L parameters, H (L - 1) are
    redundant: a scale can move from one factor to the next."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        check_power_of_two(self, size)

    def init(self, key: Key, size: int) -> Float[Array, "L P 2 2"]:
        angle = jax.random.uniform(key, (size.bit_length() - 1, size // 2), maxval=2 * math.pi)
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        return jnp.stack([jnp.stack([cos, -sin], -1), jnp.stack([sin, cos], -1)], -2)

    def matvec(self, u: Float[Array, "L P 2 2"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        for k in range(u.shape[0]):
            pairs = h.reshape(-1, 2, 1 << k)
            h = jnp.einsum("qrij,qjr->qir", u[k].reshape(-1, 1 << k, 2, 2), pairs).reshape(-1)
        return h

    def nonzeros(self, size: int) -> int:
        return size**2
