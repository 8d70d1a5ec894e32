"""A diagonal plus low rank: units hear themselves and a few sums (as in S4, Gu et al. 2022, arXiv:2111.00396)."""

import jax

from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.low_rank import LowRank
from rnnzoo.typing import Array, Float, Key


@spec
class DiagonalLowRank(Structure):
    """U = diag(d) + a b^T, with r = rank::

        U[i, j] = d[i] (i == j) + sum_n a[i, n] b[j, n]        Parameters  d (H,), a (H, r), b (H, r)

    Initially d is uniform in (-1, 1) as in `Diagonal`, and a b^T is a quarter of what `LowRank` starts with, so that
    the spectral radius is about 1: the outermost eigenvalue of diag(d) + q q^T / 4, where q has norm 1, is about
    (e^8 + 1) / (e^8 - 1) = 1.0007 for large H. Of the parameters, r^2 are redundant as in `LowRank`."""

    rank: Size = 1
    """The number r of weighted sums."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if self.rank > size:
            raise UsageError(f"{self} does not fit hidden_size {size}; accepted: rank from 1 to {size}")

    def init(self, key: Key, size: int) -> dict[str, Array]:
        diagonal_key, key = jax.random.split(key)
        low = LowRank(rank=self.rank).init(key, size)
        diagonal = jax.random.uniform(diagonal_key, (size,), minval=-1.0, maxval=1.0)
        return {"d": diagonal, **{name: 0.5 * a for name, a in low.items()}}

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u["d"] * h + u["a"] @ (h @ u["b"])

    def nonzeros(self, size: int) -> int:
        return size**2
