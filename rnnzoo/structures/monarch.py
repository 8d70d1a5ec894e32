"""Monarch: blocks, a transposition, blocks, and back (Dao et al. 2022, arXiv:2204.00595)."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import check_composite, check_divides, halves
from rnnzoo.typing import Array, Float, Key


@spec
class Monarch(Structure):
    """The units as a table of n = blocks rows and m = H / n columns; every row is mixed, then every column::

        U[i m + j, k m + l] = left[j, i, k] right[k, j, l]       Parameters  right (n, m, m), left (m, n, n)

    Initially every block is orthogonal, and so is U. Of the H (n + m) parameters, H are redundant: a scale can move
    from a row of right[k] to a column of left[j]."""

    blocks: Size | None = None
    """Number n of rows; divides hidden_size. None: the largest one up to its square root, for the fewest parameters."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if self.blocks is None:
            check_composite(self, size)
        else:
            check_divides(self, "blocks", self.blocks, size)

    def init(self, key: Key, size: int) -> dict[str, Array]:
        n = self.blocks or halves(size)[0]
        right_key, left_key = jax.random.split(key)
        right = jax.random.orthogonal(right_key, size // n, (n,))
        return {"right": right, "left": jax.random.orthogonal(left_key, n, (size // n,))}

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        rows = jnp.einsum("kjl,kl->kj", u["right"], h.reshape(u["right"].shape[:2]))
        return jnp.einsum("jik,kj->ij", u["left"], rows).reshape(-1)

    def nonzeros(self, size: int) -> int:
        return size**2

    def nearest(self, dense: Float[Array, "H H"]) -> dict[str, Array]:
        """By SVDs: U[i m + j, k m + l] has rank 1 in (i, l) for every j and k (Dao et al. 2022, theorem 1)."""
        size = dense.shape[0]
        n = self.blocks or halves(size)[0]
        parts = dense.reshape(n, size // n, n, size // n).transpose(1, 2, 0, 3)  # (j, k, i, l)
        left, values, right = jnp.linalg.svd(parts, full_matrices=False)
        scale = jnp.sqrt(values[..., :1])
        return {
            "left": (left[..., 0] * scale).transpose(0, 2, 1),
            "right": (right[..., 0, :] * scale).transpose(1, 0, 2),
        }
