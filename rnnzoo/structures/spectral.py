"""The spectral radius and the nonzeros of U, for structures that have no formula for them."""

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

    Exact where `Structure.eigenvalues` has them. For others good to a few percent, by Gelfand's formula: the radius is
    how much vectors grow per product in the long run. The vectors are random, since a special one, such as that of
    ones, may be an eigenvector. No array is larger than (64, H)."""
    ready = structure.materialize(u)
    values = structure.eigenvalues(ready, size)
    radius = _growth(structure, ready, size) if values is None else jnp.abs(values).max()
    return jax.tree.map(lambda a: a / radius, u)


def _growth(structure: Structure, ready: PyTree, size: int) -> Float[Array, ""]:
    """The factor by which a few random vectors grow per product, after they have turned to where it is the largest."""
    times = jax.vmap(structure.matvec, (None, 0))

    def step(hs, _):
        hs = times(ready, hs)
        norm = jnp.linalg.norm(hs)
        return hs / norm, jnp.log(norm)

    starts = jnp.asarray(np.random.RandomState(0).standard_normal((STARTS, size)), float)
    return jnp.exp(lax.scan(step, starts, length=SETTLE + MEASURE)[1][SETTLE:].mean())


def random_parameters(structure: Structure, size: int, seed: int = 0) -> PyTree:
    """Normally distributed parameters, whatever `init` draws."""
    rng = np.random.default_rng(seed)
    like = structure.shapes(size)
    return jax.tree.map(lambda a: jnp.asarray(rng.normal(size=a.shape), a.dtype), like)


@functools.lru_cache(maxsize=64)
def pattern(structure: Structure, size: int) -> np.ndarray:
    """Which entries of U may differ from 0, (H, H) bools: those that do with random parameters."""
    with jax.ensure_compile_time_eval():
        return np.asarray(structure.matrix(random_parameters(structure, size), size)) != 0
