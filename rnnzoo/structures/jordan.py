"""Jordan blocks: chains of units with one eigenvalue each, the form that any matrix has in a suitable basis
(the second part of https://stats.stackexchange.com/q/210111)."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.structures.factors import check_divides
from rnnzoo.structures.toeplitz_blocks import ToeplitzBlocks
from rnnzoo.typing import Array, Connectivity, Float, Key


@spec
class Jordan(Structure):
    """H / b real Jordan blocks of b = block units::

        U[n b + i, n b + i] = eigenvalue[n]       Parameters  eigenvalue (H / b,)
        U[n b + i, n b + i + 1] = super[n]                    super (H / b,), none if b = 1

    Textbooks have super = 1; a change of basis makes 1 of any number but 0. Here it is learned, which also sets the
    scale of the units. Initially uniform, eigenvalue in (-1, 1) as in `Diagonal`, super in (-1/2, 1/2) as in
    `Bidiagonal`."""

    block: Size = 2
    """Number of units in a block; divides hidden_size."""

    @property
    def connectivity(self) -> Connectivity:
        return "self" if self.block == 1 else "cascade"

    @property
    def closure(self) -> Algebra:
        return ToeplitzBlocks(block=self.block)

    def check(self, size: int) -> None:
        check_divides(self, "block", self.block, size)

    def init(self, key: Key, size: int) -> dict[str, Array]:
        value_key, key = jax.random.split(key)
        shape = (size // self.block,)
        u = {"eigenvalue": jax.random.uniform(value_key, shape, minval=-1.0, maxval=1.0)}
        return u if self.block == 1 else {**u, "super": jax.random.uniform(key, shape, minval=-0.5, maxval=0.5)}

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        blocks = h.reshape(-1, self.block)
        y = u["eigenvalue"][:, None] * blocks
        if self.block > 1:
            y += jnp.pad(u["super"][:, None] * blocks[:, 1:], ((0, 0), (0, 1)))
        return y.reshape(-1)

    def nonzeros(self, size: int) -> int:
        return 2 * size - size // self.block

    def flops_per_step(self, size: int) -> int:
        return 3 * size
