"""Blocks and a perfect shuffle: every unit reaches every other in log_b H steps (the channel shuffle of Zhang et al.
2018, arXiv:1707.01083)."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import check_divides
from rnnzoo.typing import Array, Connectivity, Float, Key


@spec
class ShuffledBlocks(Structure):
    """H / b dense blocks of b = block units, u (H / b, b, b), whose results are dealt out like cards::

        U[i H / b + n, n b + j] = u[n, i, j]

    Initially every block is orthogonal, and so is U."""

    block: Size = 4
    """Number of units in a block; divides hidden_size."""

    @property
    def connectivity(self) -> Connectivity:
        return "self" if self.block == 1 else "cyclic"

    closure = Dense()

    def check(self, size: int) -> None:
        check_divides(self, "block", self.block, size)

    def init(self, key: Key, size: int) -> Float[Array, "N b b"]:
        return jax.random.orthogonal(key, self.block, (size // self.block,))

    def matvec(self, u: Float[Array, "N b b"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return jnp.einsum("nij,nj->in", u, h.reshape(-1, self.block)).reshape(-1)
