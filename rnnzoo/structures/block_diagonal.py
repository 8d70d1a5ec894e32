"""Small dense matrices on the diagonal: groups of units, or "heads" (Beck et al. 2024, arXiv:2405.04517)."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.factors import check_divides
from rnnzoo.typing import Array, Connectivity, Float, Key


@spec
class BlockDiagonal(Algebra):
    """H / b dense blocks of b = block units, u (H / b, b, b): unit n b + i hears unit n b + j of its block n::

        U[n b + i, n b + j] = u[n, i, j]

    Initially every block is orthogonal (Saxe et al. 2014, arXiv:1312.6120), and so is U."""

    block: Size = 4
    """Number of units in a block; divides hidden_size."""

    @property
    def connectivity(self) -> Connectivity:
        return "self" if self.block == 1 else "cyclic"

    @property
    def jacobian(self) -> Algebra:
        return self

    def check(self, size: int) -> None:
        check_divides(self, "block", self.block, size)

    def init(self, key: Key, size: int) -> Float[Array, "N b b"]:
        return jax.random.orthogonal(key, self.block, (size // self.block,))

    def matvec(self, u: Float[Array, "N b b"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        # Not einsum: its order of axes costs copies in the loop, and the gradient takes 1.4 times as long.
        return jnp.matmul(u, h.reshape(-1, self.block, 1)).reshape(-1)

    def compose(self, a: Float[Array, "N b b"], b: Float[Array, "N b b"]) -> Float[Array, "N b b"]:
        return a @ b

    def identity(self, size: int) -> Float[Array, "N b b"]:
        return jnp.tile(jnp.eye(self.block), (size // self.block, 1, 1))

    def probes(self, size: int) -> Float[Array, "P H"]:
        """Probe j is 1 at unit j of every block."""
        return jnp.tile(jnp.eye(self.block), (1, size // self.block))

    def from_probes(self, columns: Float[Array, "P H"]) -> Float[Array, "N b b"]:
        return columns.reshape(self.block, -1, self.block).transpose(1, 2, 0)
