"""Kronecker products of small matrices (Jose et al. 2018, Kronecker Recurrent Units, arXiv:1705.10142)."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import check_composite, halves, refuse
from rnnzoo.typing import Array, Float, Key

MOST = 31  # factors of 2 in the largest hidden_size


@spec
class Kronecker(Algebra):
    """U = u[0] (x) u[1] (x) ..., with u a tuple of square matrices whose sizes n, m, ... have the product H::

        U[i m + k, j m + l] = u[0][i, j] u[1][k, l]          for two factors

    Initially every factor is orthogonal, and so is U; the paper's are complex and near unitary. One parameter for
    each factor but the first is redundant: (c A) (x) (B / c) is A (x) B. Closed under products, factor by factor."""

    factors: tuple[Size, ...] = ()
    """Sizes of the factors; their product is hidden_size. If empty, the two that are closest to each other."""

    additive = False

    connectivity = "cyclic"
    jacobian = Dense()

    def sizes(self, size: int) -> tuple[int, ...]:
        """The sizes of the factors of a (size, size) matrix."""
        return self.factors or halves(size)

    def check(self, size: int) -> None:
        if len(self.factors) > MOST:
            raise refuse(self, size, f"up to {MOST} factors")
        if not self.factors:
            check_composite(self, size)
        elif math.prod(self.factors) != size:
            raise refuse(self, size, f"hidden_size of {math.prod(self.factors)}, or factors with the product {size}")

    def init(self, key: Key, size: int) -> tuple[Array, ...]:
        sizes = self.sizes(size)
        return tuple(jax.random.orthogonal(k, n) for k, n in zip(jax.random.split(key, len(sizes)), sizes, strict=True))

    def matvec(self, u: tuple[Array, ...], h: Float[Array, " H"]) -> Float[Array, " H"]:
        for factor in u:  # each multiplies the first axis and moves it last, which restores the order
            h = h.reshape(factor.shape[0], -1).T @ factor.T
        return h.reshape(-1)

    def nonzeros(self, size: int) -> int:
        return size**2

    def flops_per_step(self, size: int) -> int:
        return 2 * size * sum(self.sizes(size))

    def compose(self, a: tuple[Array, ...], b: tuple[Array, ...]) -> tuple[Array, ...]:
        return tuple(x @ y for x, y in zip(a, b, strict=True))

    def identity(self, size: int) -> tuple[Array, ...]:
        return tuple(jnp.eye(n) for n in self.sizes(size))

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.eye(size)

    def from_probes(self, columns: Float[Array, "P H"]) -> tuple[Array, ...]:
        """Reads every factor off the row and the column of the largest entry."""
        sizes = self.sizes(columns.shape[1])
        pivot = jnp.argmax(jnp.abs(columns))
        row, column = (jnp.unravel_index(n, sizes) for n in (pivot % columns.shape[1], pivot // columns.shape[1]))
        largest, entries, factors = columns.reshape(-1)[pivot], columns.T.reshape(*sizes, *sizes), []
        for k in range(len(sizes)):
            place = (*row[:k], slice(None), *row[k + 1 :], *column[:k], slice(None), *column[k + 1 :])
            factors.append(entries[place] / (1 if k == 0 else jnp.where(largest == 0, 1, largest)))
        return tuple(factors)

    def nearest(self, dense: Float[Array, "H H"]) -> tuple[Array, ...] | None:
        """For two factors: with its entries rearranged, U has rank 1 (Van Loan & Pitsianis 1993)."""
        sizes = self.sizes(dense.shape[0])
        if len(sizes) != 2:
            return None
        n, m = sizes
        parts = dense.reshape(n, m, n, m).transpose(0, 2, 1, 3).reshape(n * n, m * m)
        left, values, right = jnp.linalg.svd(parts, full_matrices=False)
        scale = jnp.sqrt(values[0])
        return (scale * left[:, 0]).reshape(n, n), (scale * right[0]).reshape(m, m)
