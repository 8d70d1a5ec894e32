"""A partitioned (block) matrix: a table of equal members of one structure, such as the Jacobian of an LSTM's step."""

from typing import Annotated

import jax
import jax.numpy as jnp

from rnnzoo.spec import Range, UsageError, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.structures.factors import check_divides, refuse
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Connectivity, Float, Key, PyTree

# Separate arrays: a loop over units that slices one array (n, n, ...) is slow code in XLA.
Table = tuple[tuple[PyTree, ...], ...]


@spec
class Partitioned(Algebra):
    """h in n = parts equal parts, and U a table of n x n members E_ij of `entry`, with m = H / n::

        U[i m + k, j m + l] = E_ij[k, l]          Parameters  u[i][j], those of E_ij: a tuple of n rows of n

    By default unit k, and every m-th unit after it, hear one another. Initially the E_ij are as `entry` draws them,
    times one number that makes the spectral radius of U about 1."""

    parts: Annotated[int, Range(low=1, high=64)] = 2  # of n^2 arrays, which are traced one by one
    """Number of parts n; divides hidden_size."""
    entry: Algebra = Diagonal()
    """The structure of the E_ij; it must contain all diagonal matrices, and then contains sums of its members too."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.entry.jacobian != self.entry:  # if equal, it has all matrices with some pattern
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

    def init(self, key: Key, size: int) -> Table:
        keys = jax.random.split(key, (self.parts, self.parts))
        u = tuple(tuple(self.entry.init(k, size // self.parts) for k in row) for row in keys)
        return with_unit_radius(self, u, size)

    def shapes(self, size: int) -> PyTree:
        return ((self.entry.shapes(size // self.parts),) * self.parts,) * self.parts

    def materialize(self, u: Table) -> Table:
        return tuple(tuple(self.entry.materialize(e) for e in row) for row in u)

    def matvec(self, u: Table, h: Float[Array, " H"]) -> Float[Array, " H"]:
        heard = jnp.split(h, self.parts)
        return jnp.concatenate([_add(*map(self.entry.matvec, row, heard)) for row in u])

    def num_params(self, size: int) -> int:
        return self.parts**2 * self.entry.num_params(size // self.parts)

    def nonzeros(self, size: int) -> int:
        return self.parts**2 * self.entry.nonzeros(size // self.parts)

    def flops_per_step(self, size: int) -> int:
        return self.parts**2 * self.entry.flops_per_step(size // self.parts) + (self.parts - 1) * size

    def compose(self, a: Table, b: Table) -> Table:
        """The product of two tables: sums of products of entries, whose parameters add."""
        columns = tuple(zip(*b, strict=True))
        return tuple(tuple(_add(*map(self.entry.compose, row, column)) for column in columns) for row in a)

    def identity(self, size: int) -> Table:
        one = self.entry.identity(size // self.parts)
        zero = jax.tree.map(jnp.zeros_like, one)
        return tuple(tuple(one if i == j else zero for j in range(self.parts)) for i in range(self.parts))

    def probes(self, size: int) -> Float[Array, "P H"]:
        """The probes of `entry`, for one part after the other."""
        return jnp.kron(jnp.eye(self.parts), self.entry.probes(size // self.parts))

    def from_probes(self, columns: Float[Array, "P H"]) -> Table:
        per_part = [jnp.split(part, self.parts, axis=1) for part in jnp.split(columns, self.parts)]
        return tuple(tuple(map(self.entry.from_probes, row)) for row in zip(*per_part, strict=True))


def _add(*members: PyTree) -> PyTree:
    return jax.tree.map(lambda *leaves: sum(leaves[1:], leaves[0]), *members)
