"""The Cayley transform of a skew-symmetric matrix, which is orthogonal (scoRNN, Helfrich et al. 2018,
arXiv:1707.09520)."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import refuse
from rnnzoo.structures.skew import from_rotations, skew_matrix
from rnnzoo.typing import Array, Float, Key


@spec
class Cayley(Structure):
    """U = (I + A)^-1 (I - A), A = -A^T, with u (P,), P = H (H - 1) / 2, as in `Skew`: orthogonal for every u.

    `materialize` gives U itself, (H, H). Initially A has 2 x 2 blocks with tan(t / 2) on its diagonal, so that U has
    pairs of eigenvalues exp(1j t), with t uniform in (-pi / 2, pi / 2). The paper has U D, with a fixed diagonal D of
    signs; without D no eigenvalue is -1."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if size < 2:
            raise refuse(self, size, "hidden_size of 2 or more")

    def init(self, key: Key, size: int) -> Float[Array, " P"]:
        angle = jax.random.uniform(key, (size // 2,), minval=-math.pi, maxval=math.pi)
        return from_rotations(jnp.tan(angle / 4), size)

    def materialize(self, u: Float[Array, " P"]) -> Float[Array, "H H"]:
        skew = skew_matrix(u.astype(jnp.promote_types(u.dtype, jnp.float32)))  # not implemented for narrower types
        # Not eye + skew: XLA 0.10's kernel for that sum overflows a thread's stack on CPUs at 1,024 units.
        plus = jnp.where(jnp.eye(skew.shape[0], dtype=bool), 1, skew)
        return jnp.linalg.solve(plus, plus.T).astype(u.dtype)  # the transpose is I - A

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h

    def nonzeros(self, size: int) -> int:
        return size**2

    def flops_per_step(self, size: int) -> int:
        return 2 * size**2
