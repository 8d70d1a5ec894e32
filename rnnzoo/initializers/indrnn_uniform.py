"""The range of IndRNN's recurrent weights (Li et al. 2018, sections 3.1 and 4.1, arXiv:1803.04831)."""

import jax

from rnnzoo.initializers.base import DiagonalInitializer
from rnnzoo.spec import Fraction, Positive, Size, spec
from rnnzoo.typing import Array, Key


@spec
class IndRNNUniform(DiagonalInitializer):
    """diag(U) uniform in (least^(1/T), largest^(1/T)), T = horizon, so that after T steps a unit without input has
    between `least` and `largest` of its value. The paper takes (0, 2) in most layers, and a `least` near to 1 in the
    last one when only its last output is read. Nothing keeps the weights in this range during training."""

    horizon: Size = 100
    """The number T of steps."""
    largest: Positive = 2.0
    """The most that a value of 1 may grow to in T steps."""
    least: Fraction = 0.0
    """The least that must be left of a value of 1 after T steps."""

    def diagonal(self, key: Key, size: int) -> Array:
        low, high = (x ** (1 / self.horizon) for x in (self.least, self.largest))
        return jax.random.uniform(key, (size,), minval=low, maxval=high)
