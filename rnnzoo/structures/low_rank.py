"""Low rank: all units hear a few weighted sums of all units (Mastrogiuseppe & Ostojic 2018, arXiv:1711.09672)."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key


@spec
class LowRank(Algebra):
    """U = a b^T, of rank r at most::

        U[i, j] = sum_n a[i, n] b[j, n]           Parameters  a (H, r), b (H, r)

    Initially orthogonal on a random r-dimensional subspace and 0 across it (Saxe et al. 2014, arXiv:1312.6120, for
    r = H): the columns of a and of b are orthonormal and span the same subspace, so the r nonzero eigenvalues of U
    are on the unit circle. Of the 2 H r parameters, r^2 are redundant: (a g, b g^-T) is the same U for any
    invertible g."""

    rank: Size = 1
    """The number r of weighted sums."""

    additive = False

    connectivity = "cyclic"
    jacobian = Dense()

    def check(self, size: int) -> None:
        if self.rank > size:
            raise UsageError(f"{self} does not fit hidden_size {size}; accepted: rank from 1 to {size}")

    def init(self, key: Key, size: int) -> dict[str, Array]:
        a_key, turn_key = jax.random.split(key)
        a = jax.random.orthogonal(a_key, size, m=self.rank)
        return {"a": a, "b": a @ jax.random.orthogonal(turn_key, self.rank)}

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u["a"] @ (h @ u["b"])

    def nonzeros(self, size: int) -> int:
        return size**2

    def compose(self, a: dict[str, Array], b: dict[str, Array]) -> dict[str, Array]:
        return {"a": a["a"] @ (a["b"].T @ b["a"]), "b": b["b"]}

    def identity(self, size: int) -> dict[str, Array]:
        if self.rank != size:
            raise UsageError(f"{self} has no identity of hidden_size {size}; accepted: rank of {size}")
        return {"a": jnp.eye(size), "b": jnp.eye(size)}

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.eye(size)

    def from_probes(self, columns: Float[Array, "P H"]) -> dict[str, Array]:
        """By a singular value decomposition; the nearest matrix of rank r if the images belong to none."""
        left, values, right = jnp.linalg.svd(columns.T, full_matrices=False)
        scale = jnp.sqrt(values[: self.rank])
        return {"a": left[:, : self.rank] * scale, "b": right[: self.rank].T * scale}

    def nearest(self, dense: Float[Array, "H H"]) -> dict[str, Array]:
        """By a singular value decomposition (Eckart & Young 1936). Columns that are not needed are 0 in a and have
        norm 1 in b, so that their gradient is not 0."""
        left, values, right = jnp.linalg.svd(dense, full_matrices=False)
        values = values[: self.rank]
        needed = values > 10 * dense.shape[0] * jnp.finfo(dense.dtype).eps * values[0]
        scale = jnp.sqrt(jnp.where(needed, values, 1.0))
        return {"a": left[:, : self.rank] * scale * needed, "b": right[: self.rank].T * scale}
