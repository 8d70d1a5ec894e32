"""How weights are drawn at first, where a cell's or a structure's own way is not wanted."""

import abc
from typing import TYPE_CHECKING

import jax

from rnnzoo.registry import Positive, Spec, spec
from rnnzoo.typing import Array, Key, PyTree

if TYPE_CHECKING:
    from rnnzoo.base import Structure


@spec
class Initializer(Spec, abc.ABC, kind="initializers"):
    """How weights are drawn at first."""

    @abc.abstractmethod
    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        """A matrix of (outputs, inputs), or any other array whose last axis is summed over."""

    def matrix(self, key: Key, structure: "Structure", size: int) -> PyTree:
        """The parameters of a structured (H, H) matrix: by default every array of it by `kernel`."""
        shapes = jax.eval_shape(lambda: structure.init(jax.random.key(0), size))
        leaves, tree = jax.tree.flatten(shapes)
        keys = jax.random.split(key, len(leaves))
        return tree.unflatten([self.kernel(k, s.shape) for k, s in zip(keys, leaves, strict=True)])


@spec
class Uniform(Initializer):
    """Uniform in (-limit, limit), whatever the size."""

    limit: Positive = 1.0
    """Largest absolute value of a weight."""

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        return jax.random.uniform(key, shape, minval=-self.limit, maxval=self.limit)


__all__ = ["Initializer", "Uniform"]
