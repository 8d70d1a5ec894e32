"""Time constants from 1 to the length of the dependence (after Tallec & Ollivier 2018, chrono, arXiv:1804.11188)."""

from typing import Annotated

import jax

from rnnzoo.initializers.base import DiagonalInitializer
from rnnzoo.spec import Range, spec
from rnnzoo.typing import Array, Key


@spec
class LongMemory(DiagonalInitializer):
    """diag(U) = 1 - 1 / tau, tau uniform in (1, T), T = horizon: a unit forgets over tau steps. The paper gives the
    gates of an LSTM and a GRU such leaks, through their biases; here U has them."""

    horizon: Annotated[float, Range(low=1)] = 100.0
    """The longest time constant T, in steps: the longest dependence that is expected."""

    def diagonal(self, key: Key, size: int) -> Array:
        return 1 - 1 / jax.random.uniform(key, (size,), minval=1.0, maxval=self.horizon)
