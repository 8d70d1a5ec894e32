"""The spectral radius at the start of training, and the nonzeros, for structures with no closed form for them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from rnnzoo.structures.base import Structure
from rnnzoo.typing import PyTree


@functools.partial(jax.jit, static_argnums=(0, 2))
def with_unit_radius(structure: Structure, u: PyTree, size: int) -> PyTree:
    """u scaled so that the spectral radius of U is about 1; U must be linear in u, and not nilpotent.

    The radius is how much a vector grows per product in the long run (Gelfand's formula), at the cost of a few
    hundred products and no (H, H) array."""
    ready = structure.materialize(u)

    def step(h, _):
        h = structure.matvec(ready, h)
        norm = jnp.linalg.norm(h)
        return h / norm, jnp.log(norm)

    growth = lax.scan(step, jnp.ones(size), length=400)[1][200:].mean()
    return jax.tree.map(lambda a: a * jnp.exp(-growth), u)


def drawn(structure: Structure, size: int) -> PyTree:
    """Random parameters with no regard to how training starts."""
    leaves, tree = jax.tree.flatten(structure.init(jax.random.key(0), size))
    keys = jax.random.split(jax.random.key(1), max(1, len(leaves)))
    return tree.unflatten([jax.random.normal(k, a.shape, a.dtype) for k, a in zip(keys, leaves, strict=False)])


@functools.lru_cache(maxsize=64)
def pattern(structure: Structure, size: int) -> np.ndarray:
    """Where U of random parameters is not 0, (H, H) bools: the entries that may differ from 0."""
    with jax.ensure_compile_time_eval():
        return np.asarray(structure.matrix(drawn(structure, size), size)) != 0
