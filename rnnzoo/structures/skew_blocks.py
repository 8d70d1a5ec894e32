"""Skew-symmetric in pairs: oscillators with friction, the normal form of `Skew` at a cost of H."""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import NonNegative, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.complex_diagonal import ComplexDiagonal
from rnnzoo.structures.factors import check_even
from rnnzoo.typing import Array, Float, Key


@spec
class SkewBlocks(Structure):
    """h = [first of every pair (H / 2,), second (H / 2,)], as in `ComplexDiagonal`; u (H / 2,)::

        U = [[-gamma I, -diag(u)],                eigenvalues -gamma + 1j u, -gamma - 1j u
             [diag(u),  -gamma I]]

    Every skew-symmetric matrix is of this form in some orthogonal basis. Initially u is the cosine of uniform angles,
    distributed as the eigenvalues of a random such matrix, and scaled so that the largest is 1."""

    gamma: NonNegative = 0.0
    """The friction: what is subtracted from the diagonal."""

    connectivity = "cyclic"
    closure = ComplexDiagonal()

    def check(self, size: int) -> None:
        check_even(self, size)

    def init(self, key: Key, size: int) -> Float[Array, " P"]:
        u = jnp.cos(jax.random.uniform(key, (size // 2,), maxval=math.pi))
        return u / jnp.abs(u).max()

    def matvec(self, u: Float[Array, " P"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        turned = jnp.concatenate([-u, u]) * jnp.roll(h, h.shape[0] // 2)
        return turned - self.gamma * h if self.gamma else turned

    def nonzeros(self, size: int) -> int:
        return 2 * size if self.gamma else size

    def flops_per_step(self, size: int) -> int:
        return 3 * size
