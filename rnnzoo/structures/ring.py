"""The ring: a band that wraps around (Chan & Young 1995, Locally Connected Recurrent Networks)."""

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Float, Key


@spec
class Ring(Structure):
    """U_ij may differ from 0 where (i - j) mod H is in {-k..k} mod H, with k = bandwidth. u (2k + 1, H) has a row for
    each diagonal and a column for each row of U, as in `Banded`, and all its numbers are used::

        U[i, (i + m - k) mod H] = u[m, i]

    Needs 2k + 1 <= H. Initially uniform in (-c, c), with c such that the spectral radius of U is about 1."""

    bandwidth: Size = 1
    """How many neighbours a unit hears on either side."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if 2 * self.bandwidth + 1 > size:
            fits = f"bandwidth from 1 to {(size - 1) // 2}" if size > 2 else "hidden_size of 3 or more"
            raise UsageError(f"{self} does not fit hidden_size {size}; accepted: {fits}")

    def init(self, key: Key, size: int) -> Float[Array, "W H"]:
        u = jax.random.uniform(key, (2 * self.bandwidth + 1, size), minval=-1.0, maxval=1.0)
        return with_unit_radius(self, u, size)

    def matvec(self, u: Float[Array, "W H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        k, size = self.bandwidth, h.shape[0]
        heard = jnp.pad(h, k)  # then fill the ends: roll and concatenate are slow inside a fused loop
        heard = lax.dynamic_update_slice(heard, h[size - k :], (0,))
        heard = lax.dynamic_update_slice(heard, h[:k], (k + size,))
        y = u[0] * heard[:size]
        for m in range(1, 2 * k + 1):
            y += u[m] * heard[m : m + size]
        return y
