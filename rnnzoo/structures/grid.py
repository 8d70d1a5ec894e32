"""The grid: units in a plane hear their neighbours (Chan & Young 1995, Locally Connected Recurrent Networks)."""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Size, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import check_composite, check_divides, divisors, halves, refuse
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Float, Key

OFFSETS = ((0, 0), (-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))


@spec
class Grid(Structure):
    """Unit r C + c is at row r and column c of a table of R = rows rows and C = H / R columns; u (N + 1, H), N =
    neighbours, has a row for the unit itself and for each neighbour, in the order of OFFSETS::

        U[r C + c, (r + dr) C + c + dc] = u[m, r C + c]          dr, dc = OFFSETS[m]

    Numbers for neighbours beyond the edge have no effect; they start at 0, the others uniform in (-c, c), with c
    such that the spectral radius of U is about 1. A grid of one row is a band. On a torus there is no edge: r + dr and
    c + dc count modulo R and C, which must be 3 or more."""

    rows: Size | None = None
    """Number of rows R; divides hidden_size. None: the largest one up to its square root."""
    neighbours: Literal[4, 8] = 4
    """4: above, below, left, right; 8: the corners too."""
    torus: bool = False
    """Whether the last row is next to the first, and the last column to the first."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if self.rows is None or size == 1:
            check_composite(self, size)
        else:
            check_divides(self, "rows", self.rows, size)
        if self.torus and min(self._shape(size)) < 3:
            accepted = [str(n) for n in divisors(size) if 3 <= n <= size // 3]
            fits = f"rows of {' or '.join(accepted)}" if accepted else "R C with 3 or more of each, such as 9, 12 or 64"
            raise refuse(self, size, fits)

    def _shape(self, size: int) -> tuple[int, int]:
        rows = self.rows or halves(size)[0]
        return rows, size // rows

    def _inside(self, size: int) -> np.ndarray:
        if self.torus:
            return np.ones((self.neighbours + 1, size), bool)
        place = np.stack(np.divmod(np.arange(size), self._shape(size)[1]))
        moved = place + np.array(OFFSETS[: self.neighbours + 1])[:, :, None]
        return np.asarray(((moved >= 0) & (moved <= place[:, -1:])).all(axis=1))

    def init(self, key: Key, size: int) -> Float[Array, "N H"]:
        u = jax.random.uniform(key, (self.neighbours + 1, size), minval=-1.0, maxval=1.0)
        return with_unit_radius(self, jnp.where(self._inside(size), u, 0), size)

    def matvec(self, u: Float[Array, "N H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        rows, columns = self._shape(h.shape[0])
        padded = jnp.pad(h.reshape(rows, columns), 1, mode="wrap" if self.torus else "constant")
        y = jnp.zeros_like(h)
        for m, (dr, dc) in enumerate(OFFSETS[: self.neighbours + 1]):
            y += u[m] * padded[1 + dr : 1 + dr + rows, 1 + dc : 1 + dc + columns].reshape(-1)
        return y

    def num_params(self, size: int) -> int:
        return int(self._inside(size).sum())
