"""Blocks above the diagonal: groups of units that hear the slower groups (Koutnik et al. 2014, arXiv:1402.3511)."""

import math
from typing import Annotated

import jax
import jax.numpy as jnp

from rnnzoo.spec import Range, spec
from rnnzoo.structures.base import Algebra, reals
from rnnzoo.structures.factors import check_divides, refuse
from rnnzoo.typing import Array, Float, Key, PyTree


@spec
class Clockwork(Algebra):
    """The matrix of a clockwork network: g = groups of b = H / g units, from the fastest to the slowest. Group k hears
    itself and the groups after it. u is a tuple of g arrays u[k] (b, H - k b)::

        U[k b + i, k b + j] = u[k][i, j]

    The paper updates group k only every T_k steps; here that is up to the cell. Initially the blocks on the diagonal
    are orthogonal, and the rest is normal with standard deviation 1 / (2 sqrt(H)) as in `Triangular`."""

    groups: Annotated[int, Range(low=1, high=1024)] = 4  # of which each has an array, traced by itself
    """Number of groups g; divides hidden_size, and leaves 2 units or more to a group."""

    connectivity = "cyclic"

    @property
    def jacobian(self) -> Algebra:
        return self

    def check(self, size: int) -> None:
        check_divides(self, "groups", self.groups, size)
        if size == self.groups:
            raise refuse(self, size, f"hidden_size of {2 * size} or more, or Triangular")

    def init(self, key: Key, size: int) -> tuple[Array, ...]:
        width, u = size // self.groups, []
        for k, k_key in enumerate(jax.random.split(key, self.groups)):
            key, rest_key = jax.random.split(k_key)
            rest = jax.random.normal(rest_key, (width, size - (k + 1) * width)) / (2 * math.sqrt(size))
            u.append(jnp.concatenate([jax.random.orthogonal(key, width), rest], axis=1))
        return tuple(u)

    def shapes(self, size: int) -> PyTree:
        width = size // self.groups
        return tuple(reals(width, size - k * width) for k in range(self.groups))

    def matvec(self, u: tuple[Array, ...], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return jnp.concatenate([rows @ h[h.shape[0] - rows.shape[1] :] for rows in u])

    def compose(self, a: tuple[Array, ...], b: tuple[Array, ...]) -> tuple[Array, ...]:
        size = a[0].shape[1]
        full = jnp.concatenate([jnp.pad(rows, ((0, 0), (size - rows.shape[1], 0))) for rows in b])
        return tuple(rows @ full[size - rows.shape[1] :, size - rows.shape[1] :] for rows in a)

    def identity(self, size: int) -> tuple[Array, ...]:
        return self.from_probes(jnp.eye(size))

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.eye(size)

    def from_probes(self, columns: Float[Array, "P H"]) -> tuple[Array, ...]:
        width = columns.shape[0] // self.groups
        return tuple(columns.T[k * width : (k + 1) * width, k * width :] for k in range(self.groups))
