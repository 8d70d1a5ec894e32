"""The spectral radius at the start of training, for structures with no closed form for it."""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.base import Structure
from rnnzoo.typing import PyTree


@functools.partial(jax.jit, static_argnums=(0, 2))
def with_unit_radius(structure: Structure, u: PyTree, size: int) -> PyTree:
    """u scaled so that the spectral radius of U is about 1; U must be linear in u, and not nilpotent.

    The radius is how much a vector grows per product in the long run (Gelfand's formula), at the cost of a few
    hundred products and no (H, H) array."""

    def step(h, _):
        h = structure.matvec(u, h)
        norm = jnp.linalg.norm(h)
        return h / norm, jnp.log(norm)

    growth = lax.scan(step, jnp.ones(size), length=400)[1][200:].mean()
    return jax.tree.map(lambda a: a * jnp.exp(-growth), u)
