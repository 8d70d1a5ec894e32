"""Upper triangular Toeplitz blocks: the polynomials of Jordan blocks, and so all products of those."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.block_diagonal import BlockDiagonal
from rnnzoo.structures.factors import check_divides
from rnnzoo.typing import Array, Connectivity, Float, Key


@spec
class ToeplitzBlocks(Algebra):
    """H / b blocks of b = block units, u (H / b, b): unit i of a block hears unit i + d with strength u[n, d]::

        U[n b + i, n b + i + d] = u[n, d]         0 <= d < b - i

    A product of such matrices is a product of polynomials with the coefficients u[n]. Initially u[:, 0], the
    eigenvalues, are uniform in (-1, 1) as in `Diagonal`, the rest uniform in (-1 / (2 b), 1 / (2 b))."""

    block: Size = 2
    """Number of units in a block; divides hidden_size."""

    @property
    def connectivity(self) -> Connectivity:
        return "self" if self.block == 1 else "cascade"

    @property
    def jacobian(self) -> Algebra:
        return BlockDiagonal(block=self.block)

    def check(self, size: int) -> None:
        check_divides(self, "block", self.block, size)

    def init(self, key: Key, size: int) -> Float[Array, "N b"]:
        u = jax.random.uniform(key, (size // self.block, self.block), minval=-1.0, maxval=1.0)
        return u.at[:, 1:].divide(2 * self.block)

    def matvec(self, u: Float[Array, "N b"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return _times(u, h.reshape(-1, self.block)).reshape(-1)

    def nonzeros(self, size: int) -> int:
        return size * (self.block + 1) // 2

    def flops_per_step(self, size: int) -> int:
        return 2 * size * self.block

    def compose(self, a: Float[Array, "N b"], b: Float[Array, "N b"]) -> Float[Array, "N b"]:
        return _times(a, b[:, ::-1])[:, ::-1]

    def identity(self, size: int) -> Float[Array, "N b"]:
        return jnp.zeros((size // self.block, self.block)).at[:, 0].set(1)

    def probes(self, size: int) -> Float[Array, "P H"]:
        """One probe, which is 1 at the last unit of every block."""
        return jnp.zeros((1, size // self.block, self.block)).at[..., -1].set(1).reshape(1, size)

    def from_probes(self, columns: Float[Array, "P H"]) -> Float[Array, "N b"]:
        return columns.reshape(-1, self.block)[:, ::-1]


def _times(u: Float[Array, "N b"], h: Float[Array, "N b"]) -> Float[Array, "N b"]:
    y = u[:, :1] * h
    for d in range(1, h.shape[1]):
        y += jnp.pad(u[:, d : d + 1] * h[:, d:], ((0, 0), (0, d)))
    return y
