"""A fixed permutation with learned strengths (Boedecker et al. 2009, Studies on reservoir initialization and dynamics
shaping in echo state networks, fixed)."""

import functools

import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Seed, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.factors import refuse
from rnnzoo.structures.one_per_column import OnePerColumn
from rnnzoo.typing import Array, Float, Key


@spec
class Permutation(Structure):
    """Every unit hears one other, and is heard by one; u (H,), initially 1::

        U[i, p[i]] = u[i]

    p is a random permutation of 0..H - 1 with p[i] != i, the same for the same seed and H. It may have several
    cycles."""

    seed: Seed = 0
    """Which permutation; not trained."""

    connectivity = "cyclic"
    closure = OnePerColumn()

    def check(self, size: int) -> None:
        if size < 2:
            raise refuse(self, size, "hidden_size of 2 or more")

    def init(self, key: Key, size: int) -> Float[Array, " H"]:
        return jnp.ones(size)

    def matvec(self, u: Float[Array, " H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u * h[_derangement(self.seed, h.shape[0])]

    def flops_per_step(self, size: int) -> int:
        return size


@functools.lru_cache(maxsize=64)
def _derangement(seed: int, size: int) -> np.ndarray:
    random = np.random.RandomState(seed)  # the one generator whose stream numpy promises to keep
    while True:
        p = random.permutation(size).astype(np.int32)
        if (p != np.arange(size)).all():
            return p
