"""Layers of rotations of neighbouring units, so that U stays orthogonal (Jing et al. 2017, EUNN, arXiv:1612.05231)."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import Size, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import check_even
from rnnzoo.typing import Array, Float, Key


@spec
class Givens(Structure):
    """U = G[L - 1] ... G[0] with L = layers, u (L, H / 2). Layer k turns H / 2 pairs of neighbours: (0, 1), (2, 3), ...
    for even k, and (1, 2), ..., (H - 1, 0) for odd k. Pair n, p = 2 n + k mod 2 and q = (p + 1) mod H, turns by
    a = u[k, n]::

        G[k][p, p] = G[k][q, q] = cos(a)          G[k][q, p] = -G[k][p, q] = sin(a)

    `materialize` gives {"cos": (L, H / 2), "sin": (L, H / 2)}. Initially the angles are uniform in (-pi, pi).
    The paper has complex rotations, and pairs that do not wrap around."""

    layers: Size = 2
    """Number of layers L; a unit hears 2 L units."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        check_even(self, size)

    def init(self, key: Key, size: int) -> Float[Array, "L P"]:
        return jax.random.uniform(key, (self.layers, size // 2), minval=-math.pi, maxval=math.pi)

    def materialize(self, u: Float[Array, "L P"]) -> dict[str, Array]:
        return {"cos": jnp.cos(u), "sin": jnp.sin(u)}

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        for k in range(self.layers):
            p, q = jnp.roll(h, -(k % 2)).reshape(-1, 2).T
            cos, sin = u["cos"][k], u["sin"][k]
            h = jnp.roll(jnp.stack([cos * p - sin * q, sin * p + cos * q], 1).reshape(-1), k % 2)
        return h

    def nonzeros(self, size: int) -> int:
        return size * min(2 * self.layers, size)

    def flops_per_step(self, size: int) -> int:
        return 3 * size * self.layers
