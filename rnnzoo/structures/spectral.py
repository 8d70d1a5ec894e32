"""The spectral radius at the start of training, and the nonzeros, for structures with no closed form for them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from rnnzoo.structures.base import Structure
from rnnzoo.typing import Array, Float, PyTree

STARTS, SETTLE, MEASURE = 4, 200, 200  # random vectors; products before the growth is measured, and while it is


@functools.partial(jax.jit, static_argnums=(0, 2))
def with_unit_radius(structure: Structure, u: PyTree, size: int) -> PyTree:
    """u scaled so that the spectral radius of U is 1; U must be linear in u, and not nilpotent.

    Exact where the only cycles are self-loops: the eigenvalues are then the diagonal. For others good to a few percent,
    by Gelfand's formula: the radius is how much vectors grow per product in the long run. The vectors are random, since
    a special one, such as that of ones, may be an eigenvector. No array is larger than (64, H)."""
    ready = structure.materialize(u)
    if structure.connectivity in ("self", "cascade"):
        radius = jnp.abs(_diagonal(structure, ready, size)).max()
    else:
        radius = _growth(structure, ready, size)
    return jax.tree.map(lambda a: a / radius, u)


def _diagonal(structure: Structure, ready: PyTree, size: int) -> Float[Array, " H"]:
    """The diagonal of U, from its products with the unit vectors."""

    def entry(i):
        return structure.matvec(ready, (jnp.arange(size) == i).astype(float))[i]

    return lax.map(entry, jnp.arange(size), batch_size=min(64, size))


def _growth(structure: Structure, ready: PyTree, size: int) -> Float[Array, ""]:
    """The factor by which a few random vectors grow per product, after they have turned to where it is the largest."""
    times = jax.vmap(structure.matvec, (None, 0))

    def step(hs, _):
        hs = times(ready, hs)
        norm = jnp.linalg.norm(hs)
        return hs / norm, jnp.log(norm)

    starts = jnp.asarray(np.random.RandomState(0).standard_normal((STARTS, size)), float)
    return jnp.exp(lax.scan(step, starts, length=SETTLE + MEASURE)[1][SETTLE:].mean())


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
