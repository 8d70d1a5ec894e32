"""Uniform weights."""

import jax

from rnnzoo.initializers.base import Initializer
from rnnzoo.spec import Positive, spec
from rnnzoo.typing import Array, Key


@spec
class Uniform(Initializer):
    """Uniform in (-limit, limit), whatever the size."""

    limit: Positive = 1.0
    """Largest absolute value of a weight."""

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        return jax.random.uniform(key, shape, minval=-self.limit, maxval=self.limit)
