"""Orthogonal matrices: they keep the norm of what they are applied to (Saxe et al. 2014, arXiv:1312.6120)."""

import functools

import jax
import numpy as np

from rnnzoo.initializers.base import Initializer, probe_size
from rnnzoo.spec import Positive, spec
from rnnzoo.structures.base import Structure
from rnnzoo.typing import Array, Key, PyTree


@spec
class Orthogonal(Initializer):
    """gain times a random orthogonal matrix, all being equally likely. A structure of blocks gets one for each block,
    and a diagonal gets random signs; a structure whose U is not orthogonal then is refused. Other weights (O, I) get
    orthonormal rows or columns, whichever there are fewer of."""

    examples = ("BlockDiagonal", "Diagonal", "Permutation", "Dense")

    gain: Positive = 1.0
    """All singular values of the matrix."""

    def refuses(self, structure: Structure, size: int) -> str | None:
        is_orthogonal = _is_orthogonal(structure, probe_size(structure, size))
        return None if is_orthogonal else "orthogonal blocks do not make its U orthogonal"

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        *lead, rows, columns = shape
        return self.gain * jax.random.orthogonal(key, rows, tuple(lead), m=columns)

    def matrix(self, key: Key, structure: Structure, size: int) -> PyTree:
        self.require(structure, size)
        return jax.tree.map(lambda a: self.gain * a, _blocks(key, structure, size))


def _blocks(key: Key, structure: Structure, size: int) -> PyTree:
    """Parameters whose arrays are orthogonal blocks, or random signs if they are vectors."""
    leaves, tree = jax.tree.flatten(structure.shapes(size))
    made = []
    for k, leaf in zip(jax.random.split(key, max(1, len(leaves))), leaves, strict=False):
        if leaf.ndim < 2:
            made.append(jax.random.rademacher(k, leaf.shape, leaf.dtype))
        else:
            *lead, rows, columns = leaf.shape
            made.append(jax.random.orthogonal(k, rows, tuple(lead), leaf.dtype, m=columns))
    return tree.unflatten(made)


@functools.lru_cache(maxsize=256)
def _is_orthogonal(structure: Structure, size: int) -> bool:
    """Whether u of such blocks makes an orthogonal U, and 2 u makes 2 U."""
    with jax.ensure_compile_time_eval():
        u = _blocks(jax.random.key(0), structure, size)
        once = np.asarray(structure.matrix(u, size))
        twice = np.asarray(structure.matrix(jax.tree.map(lambda a: 2 * a, u), size))
    return np.allclose(once @ once.T, np.eye(size), atol=1e-4) and np.allclose(twice, 2 * once, atol=1e-4)
