"""The exponential of a skew-symmetric matrix, which is orthogonal (Lezcano-Casado & Martinez-Rubio 2019, expRNN,
arXiv:1901.08428)."""

import math

import jax
import jax.numpy as jnp
from jax.scipy.linalg import expm

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import refuse
from rnnzoo.structures.skew import from_rotations, skew_matrix
from rnnzoo.typing import Array, Float, Key


@spec
class Expm(Structure):
    """U = exp(A), A = -A^T, with u (P,), P = H (H - 1) / 2, as in `Skew`: orthogonal for every u.

    `materialize` gives U itself, (H, H). Initially A has 2 x 2 blocks on its diagonal with angles t uniform in
    (-pi, pi), as in the authors' code (after Henaff et al. 2016): U has pairs of eigenvalues exp(1j t). All rotations
    have this form."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if size < 2:
            raise refuse(self, size, "hidden_size of 2 or more")

    def init(self, key: Key, size: int) -> Float[Array, " P"]:
        angle = jax.random.uniform(key, (size // 2,), minval=-math.pi, maxval=math.pi)
        return from_rotations(angle, size)

    def materialize(self, u: Float[Array, " P"]) -> Float[Array, "H H"]:
        skew = skew_matrix(u.astype(jnp.promote_types(u.dtype, jnp.float32)))  # not implemented for narrower types
        return expm(skew).astype(u.dtype)

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h

    def nonzeros(self, size: int) -> int:
        return size**2

    def flops_per_step(self, size: int) -> int:
        return 2 * size**2
