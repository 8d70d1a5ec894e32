"""What the tests of structures share: the package's own members in several sizes, and random parameters."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import rnnzoo
from rnnzoo import structures
from rnnzoo.spec import Size, field_types
from rnnzoo.structures import patterns
from rnnzoo.structures.base import Algebra, Structure

SIZES = range(1, 18)
OTHERS = [  # members with other fields than sizes set
    structures.Kronecker(factors=(2, 2, 2)),
    structures.BoundedDiagonal(low=0.0),
    structures.ComplexPairs(structure=structures.Dense()),
    structures.ComplexPairs(structure=structures.StrictlyTriangular()),
    structures.Grid(rows=2, neighbours=8),
    structures.Grid(torus=True),
    structures.Monarch(blocks=2),
    structures.Permutation(seed=1),
    structures.Scaled(structure=structures.Cayley(), scale=0.9),
    structures.Skew(gamma=0.5),
    structures.SkewBlocks(gamma=0.5),
    structures.SparseMask(pattern=patterns.SmallWorld()),
    structures.SparseMask(pattern=patterns.Clusters()),
    structures.SparseMask(pattern=patterns.NeuralCircuit()),
    structures.SparseMask(pattern=patterns.RandomEdges()),
    structures.Sum(a=structures.Shift(), b=structures.Diagonal()),
]


def own_structures(*others: int) -> list[Any]:
    """Every structure of the package with its default fields; and, if there are any `others`, with each size among the
    fields set to those, and with other fields set."""
    found = []
    for cls in rnnzoo.members("structures").values():
        if cls.__module__.startswith("rnnzoo."):
            make: Any = cls
            default = make()
            sizes = [f for f, hint in field_types(cls).items() if hint == Size]
            found += [default, *(dataclasses.replace(default, **{f: k}) for f in sizes for k in others)]
    return list(dict.fromkeys([*found, *(OTHERS if others else [])]))


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
