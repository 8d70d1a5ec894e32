"""What the tests of structures share: sizes that fit, and random parameters."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import rnnzoo
from rnnzoo.structures.base import Algebra, Structure

SIZES = range(1, 18)


def fits(structure: Structure, size: int) -> bool:
    try:
        structure.check(size)
    except rnnzoo.UsageError:
        return False
    return True


def few_sizes(structure: Structure) -> list[int]:
    """The least and a middle one of SIZES that fit, and for algebras with default fields the greatest: each costs a
    compilation."""
    possible = [size for size in SIZES if fits(structure, size)]
    make: Any = type(structure)
    greatest = [possible[-1]] if structure == make() and isinstance(structure, Algebra) else []
    return sorted({possible[0], possible[len(possible) // 2], *greatest})


def fitting(structure: Structure, *sizes: int) -> int:
    """The first of the sizes that fits."""
    return next(size for size in sizes if fits(structure, size))


def draw(structure: Structure, size: int, seed: int = 0) -> Any:
    """Random parameters with no regard to how training starts."""
    rng = np.random.default_rng(seed)
    shapes = jax.eval_shape(lambda: structure.init(jax.random.key(0), size))
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), leaf.dtype), shapes)
