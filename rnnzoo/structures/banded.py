"""The band: every unit hears its nearest neighbours (Chan & Young 1995, Locally Connected Recurrent Networks).

Bandwidth 1, "3 wide", is the question of https://stats.stackexchange.com/q/210111."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Float, Key


@spec
class Banded(Structure):
    """U_ij may differ from 0 where ``abs(i - j) <= bandwidth``. With k = bandwidth, u (2k + 1, H) has a row for each
    diagonal, from the lowest to the highest, and a column for each row of U::

        U[i, i + m - k] = u[m, i]

    The k (k + 1) numbers of u for which i + m - k is outside 0..H - 1 have no effect, and their gradient is exactly
    0; they start at 0. The others are uniform in (-c, c), with c such that the spectral radius of U is about 1."""

    bandwidth: Size = 1
    """How many neighbours a unit hears on either side."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if self.bandwidth >= size:
            fits = f"bandwidth from 1 to {size - 1}" if size > 1 else "hidden_size of 2 or more"
            raise UsageError(f"{self} does not fit hidden_size {size}; accepted: {fits}")

    def init(self, key: Key, size: int) -> Float[Array, "W H"]:
        width = 2 * self.bandwidth + 1
        heard = jnp.arange(size) + jnp.arange(width)[:, None] - self.bandwidth
        u = jax.random.uniform(key, (width, size), minval=-1.0, maxval=1.0)
        return with_unit_radius(self, jnp.where((heard >= 0) & (heard < size), u, 0), size)

    def matvec(self, u: Float[Array, "W H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        heard = jnp.pad(h, self.bandwidth)  # not concatenate, which is slow inside a fused loop
        y = u[0] * heard[: h.shape[0]]
        for m in range(1, 2 * self.bandwidth + 1):
            y += u[m] * heard[m : m + h.shape[0]]
        return y

    def num_params(self, size: int) -> int:
        return (2 * self.bandwidth + 1) * size - self.bandwidth * (self.bandwidth + 1)
