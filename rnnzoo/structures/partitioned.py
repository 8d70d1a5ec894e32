"""A partitioned (block) matrix: a table of equal members of one structure, such as the Jacobian of an LSTM's step."""

import jax
import jax.numpy as jnp

from rnnzoo.base import Algebra, Connectivity, Size, UsageError, spec
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.structures.factors import check_divides, refuse
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Float, Key, PyTree


@spec
class Partitioned(Algebra):
    """h in n = parts equal parts, and U a table of n x n members E_ij of `entry`, with m = H / n::

        U[i m + k, j m + l] = E_ij[k, l]          Parameters  u, those of `entry` with leading axes (n, n)

    By default unit k, and every m-th unit after it, hear one another. At first the E_ij are as `entry` draws them,
    times one number that makes the spectral radius of U about 1."""

    parts: Size = 2
    """Number of parts n; divides hidden_size."""
    entry: Algebra = Diagonal()
    """The structure of the members; one that holds all diagonals, so that sums of members are members."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.entry.jacobian != self.entry:  # those are all matrices with some pattern, and linear in u
            raise UsageError(
                f"Partitioned.entry is {self.entry}; accepted: an algebra that holds all diagonals, such as "
                f"{self.entry.jacobian}"
            )

    @property
    def connectivity(self) -> Connectivity:
        return self.entry.connectivity if self.parts == 1 else "cyclic"

    @property
    def jacobian(self) -> Algebra:
        return self

    def check(self, size: int) -> None:
        check_divides(self, "parts", self.parts, size)
        try:
            self.entry.check(size // self.parts)
        except UsageError as error:
            raise refuse(self, size, f"hidden_size whose {self.parts}th part fits {self.entry}: {error}") from None

    def init(self, key: Key, size: int) -> PyTree:
        keys = jax.random.split(key, (self.parts, self.parts))
        draw = jax.vmap(jax.vmap(lambda k: self.entry.init(k, size // self.parts)))
        return with_unit_radius(self, draw(keys), size)

    def materialize(self, u: PyTree) -> PyTree:
        return jax.vmap(jax.vmap(self.entry.materialize))(u)

    def matvec(self, u: PyTree, h: Float[Array, " H"]) -> Float[Array, " H"]:
        heard = jax.vmap(jax.vmap(self.entry.matvec), (0, None))(u, h.reshape(self.parts, -1))
        return heard.sum(1).reshape(-1)

    def num_params(self, size: int) -> int:
        return self.parts**2 * self.entry.num_params(size // self.parts)

    def nonzeros(self, size: int) -> int:
        return self.parts**2 * self.entry.nonzeros(size // self.parts)

    def flops_per_step(self, size: int) -> int:
        return self.parts**2 * self.entry.flops_per_step(size // self.parts) + (self.parts - 1) * size

    def compose(self, a: PyTree, b: PyTree) -> PyTree:
        """The product of two tables: sums of products of entries, whose parameters add."""
        row_by_column = jax.vmap(self.entry.compose)
        products = jax.vmap(jax.vmap(row_by_column, (None, 1)), (0, None))(a, b)
        return jax.tree.map(lambda leaf: leaf.sum(2), products)

    def identity(self, size: int) -> PyTree:
        eye = jnp.eye(self.parts, dtype=bool)
        one = self.entry.identity(size // self.parts)
        return jax.tree.map(lambda leaf: jnp.where(eye.reshape(*eye.shape, *[1] * leaf.ndim), leaf, 0), one)

    def probes(self, size: int) -> Float[Array, "P H"]:
        """Those of `entry`, for one part after the other."""
        return jnp.kron(jnp.eye(self.parts), self.entry.probes(size // self.parts))

    def from_probes(self, columns: Float[Array, "P H"]) -> PyTree:
        per_part = columns.reshape(self.parts, -1, self.parts, columns.shape[1] // self.parts)
        return jax.vmap(jax.vmap(self.entry.from_probes), 2)(per_part)  # by row of the table, then by column
