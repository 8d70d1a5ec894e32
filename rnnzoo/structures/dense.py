"""The full matrix: the fully connected recurrent network."""

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra
from rnnzoo.typing import Array, Float, Key


@spec
class Dense(Algebra):
    """U is any (H, H) matrix; u is that matrix. Initially orthogonal (Saxe et al. 2014, arXiv:1312.6120)."""

    connectivity = "cyclic"

    @property
    def jacobian(self) -> Algebra:
        return self

    def init(self, key: Key, size: int) -> Float[Array, "H H"]:
        return jax.random.orthogonal(key, size)

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h

    def compose(self, a: Float[Array, "H H"], b: Float[Array, "H H"]) -> Float[Array, "H H"]:
        return a @ b

    def identity(self, size: int) -> Float[Array, "H H"]:
        return jnp.eye(size)

    def probes(self, size: int) -> Float[Array, "H H"]:
        return jnp.eye(size)

    def from_probes(self, columns: Float[Array, "H H"]) -> Float[Array, "H H"]:
        return columns.T

    def nearest(self, dense: Float[Array, "H H"]) -> Float[Array, "H H"]:
        return dense
