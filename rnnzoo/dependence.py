"""Which numbers of a function's arguments and results have to do with each other, from its jaxpr alone."""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.jaxprs import ELEMENTWISE, inner_jaxpr, is_literal

# Primitives of JAX that only move numbers, from all of their arguments.
_MOVES = frozenset(
    "broadcast_in_dim concatenate copy expand_dims pad reshape rev slice split squeeze tile transpose".split()
)
_SUMS = frozenset("reduce_and reduce_max reduce_min reduce_or reduce_prod reduce_sum".split())
Labels = Any  # an array of integers: the node that a number belongs to, -1 for none


class Links:
    """A graph whose nodes are numbers, with an edge between two where a result depends on both. What a primitive does
    is known for the most common ones; of any other, all results depend on all arguments."""

    def __init__(self, nodes: int):
        self.nodes = nodes
        self.edges: list[tuple[np.ndarray, np.ndarray]] = []

    def link(self, a: Labels, b: Labels) -> Labels:
        """Edges between the numbers of two arrays, entry by entry; the labels that stand for both."""
        a, b = np.broadcast_arrays(a, b)
        both = (a >= 0) & (b >= 0)
        self.edges.append((a[both], b[both]))
        return np.where(a >= 0, a, b)

    def along(self, labels: Labels, axes: tuple[int, ...]) -> Labels:
        """All numbers along these axes belong together: the labels without the axes."""
        if not axes:
            return labels
        some = labels.max(axes, keepdims=True, initial=-1)
        self.link(some, labels)
        return np.squeeze(some, axes)

    def through(self, jaxpr: Any, labels: Iterable[Labels]) -> list[Labels]:
        """The labels of the results of a jaxpr, from those of its arguments."""
        known = dict(zip(jaxpr.invars, labels, strict=True))

        def of(var: Any) -> Labels:
            return np.full(np.shape(var.aval), -1) if is_literal(var) or var not in known else known[var]

        for eqn in jaxpr.eqns:
            known |= zip(eqn.outvars, self._equation(eqn, [of(var) for var in eqn.invars]), strict=True)
        return [of(var) for var in jaxpr.outvars]

    def _equation(self, eqn: Any, labels: list[Labels]) -> list[Labels]:
        shapes, name = [var.aval.shape for var in eqn.outvars], eqn.primitive.name
        if all((a < 0).all() for a in labels):
            return [np.full(shape, -1) for shape in shapes]
        if (called := inner_jaxpr(eqn)) is not None:
            return self.through(called.jaxpr, labels)
        if name in ELEMENTWISE and all(a.shape in (shapes[0], ()) for a in labels):
            found = np.full(shapes[0], -1)
            for a in labels:
                found = self.link(found, a)
            return [found]
        if name in _MOVES:
            with jax.ensure_compile_time_eval():
                moved = eqn.primitive.bind(*(jnp.asarray(a, jnp.int32) for a in labels), **eqn.params)
            return [np.asarray(a) for a in (moved if eqn.primitive.multiple_results else [moved])]
        if name in _SUMS:
            return [self.along(labels[0], eqn.params["axes"])]
        if name == "dot_general":
            return [self._product(*labels, *eqn.params["dimension_numbers"])]
        everything = self.along(np.concatenate([a.ravel() for a in labels]), (0,))
        return [np.full(shape, everything) for shape in shapes]

    def _product(self, a: Labels, b: Labels, summed: Any, batch: Any) -> Labels:
        def laid_out(labels: Labels, summed: Any, batch: Any) -> Labels:
            free = [i for i in range(labels.ndim) if i not in (*summed, *batch)]
            labels = labels.transpose(*batch, *free, *summed)
            return self.along(labels, tuple(range(len(batch) + len(free), labels.ndim)))

        a, b = laid_out(a, summed[0], batch[0]), laid_out(b, summed[1], batch[1])
        shared = len(batch[0])
        b = b.reshape(*b.shape[:shared], *[1] * (a.ndim - shared), *b.shape[shared:])
        return self.link(a.reshape(*a.shape, *[1] * (b.ndim - a.ndim)), b)

    def groups(self) -> np.ndarray:
        """For every node, the least node that it is connected with."""
        a, b = (np.concatenate(side) for side in zip(*self.edges, strict=True)) if self.edges else ([], [])
        root = np.arange(self.nodes)
        while len(a) and (root[a] != root[b]).any():
            of_a, of_b = root[a], root[b]
            least = np.minimum(of_a, of_b)
            np.minimum.at(root, of_a, least)
            np.minimum.at(root, of_b, least)
            while (root != root[root]).any():
                root = root[root]
        return root


__all__ = ["Links"]
