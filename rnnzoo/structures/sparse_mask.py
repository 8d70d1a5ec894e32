"""A fixed sparse pattern: units hear a few others each, chosen at random once (as in echo state networks, Jaeger 2001;
trained, Bellec et al. 2018, arXiv:1711.05136)."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure, reals
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import refuse
from rnnzoo.structures.patterns import Pattern, RandomRows
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Float, Key, PyTree


@spec
class SparseMask(Structure):
    """U_ij may differ from 0 where the pattern has an edge j -> i; u (E,) has a number for each, in reading order::

        U[rows[e], columns[e]] = u[e]             rows, columns = np.nonzero(pattern.mask(H))

    Initially normal, with a spectral radius of about 1."""

    pattern: Pattern = RandomRows()
    """Which units hear which; not trained."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if accepted := self.pattern.refuses(size):
            raise refuse(self, size, accepted)

    def init(self, key: Key, size: int) -> Float[Array, " E"]:
        return with_unit_radius(self, jax.random.normal(key, _edges(self.pattern, size)[0].shape), size)

    def shapes(self, size: int) -> PyTree:
        return reals(self.pattern.num_edges(size))

    def matvec(self, u: Float[Array, " E"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        rows, columns = _edges(self.pattern, h.shape[0])
        return jax.ops.segment_sum(u * h[columns], jnp.asarray(rows), h.shape[0], indices_are_sorted=True)


@functools.lru_cache(maxsize=64)
def _edges(pattern: Pattern, size: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.nonzero(pattern.mask(size))
    return rows.astype(np.int32), columns.astype(np.int32)
