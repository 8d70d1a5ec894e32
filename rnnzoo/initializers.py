"""How weights are drawn at first, where a cell's or a structure's own way is not wanted."""

import jax

from rnnzoo.base import Initializer, spec
from rnnzoo.registry import Positive
from rnnzoo.typing import Array, Key


@spec
class Uniform(Initializer):
    """Uniform in (-limit, limit), whatever the size."""

    limit: Positive = 1.0
    """Largest absolute value of a weight."""

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        return jax.random.uniform(key, shape, minval=-self.limit, maxval=self.limit)


__all__ = ["Initializer", "Uniform"]
