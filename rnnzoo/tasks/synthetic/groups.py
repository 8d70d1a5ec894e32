"""Small groups, as permutations: their generators, elements and tables."""

import functools

import numpy as np

Permutation = tuple[int, ...]  # i goes to p[i]

GENERATORS: dict[str, tuple[Permutation, ...]] = {
    "Z2": ((1, 0),),
    "Z5": ((1, 2, 3, 4, 0),),
    "S3": ((1, 0, 2), (0, 2, 1)),
    "D4": ((1, 2, 3, 0), (0, 3, 2, 1)),  # a turn of the square, and a reflection
    "A4": ((1, 2, 0, 3), (1, 0, 3, 2)),
    "A5": ((1, 2, 0, 3, 4), (1, 2, 3, 4, 0)),
    "S5": ((1, 0, 2, 3, 4), (0, 2, 1, 3, 4), (0, 1, 3, 2, 4), (0, 1, 2, 4, 3)),
}
"""The generators of each group; of the symmetric ones, the swaps of neighbours."""


def product(a: Permutation, b: Permutation) -> Permutation:
    """First a, then b."""
    return tuple(b[i] for i in a)


@functools.cache
def elements(group: str) -> tuple[Permutation, ...]:
    """All elements in lexicographic order, so that the identity is the first."""
    generators = GENERATORS[group]
    found = {tuple(range(len(generators[0])))}
    new = found
    while new:
        new = {product(a, b) for a in new for b in generators} - found
        found = found | new
    return tuple(sorted(found))


@functools.cache
def table(group: str) -> np.ndarray:
    """The number of the product of elements i and j, (G, G) int32."""
    numbers = {element: i for i, element in enumerate(elements(group))}
    return np.array([[numbers[product(a, b)] for b in elements(group)] for a in elements(group)], np.int32)


@functools.cache
def generators(group: str) -> np.ndarray:
    """The numbers of the identity and the generators among all elements, int32."""
    numbers = {element: i for i, element in enumerate(elements(group))}
    return np.array([0, *(numbers[g] for g in GENERATORS[group])], np.int32)


__all__ = ["GENERATORS", "Permutation", "elements", "generators", "product", "table"]
