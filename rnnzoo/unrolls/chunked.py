"""Checkpoints at the borders of chunks (Chen et al. 2016, arXiv:1604.06174; Gruslys et al. 2016, arXiv:1606.03401)."""

import math
from typing import Any

import jax

from rnnzoo.spec import Size, spec
from rnnzoo.unrolls.parts import Part, Parts


@spec
class Chunked(Parts):
    """Keeps only the inputs, the outputs, and the states at the borders of chunks; for a gradient it computes each
    chunk once more. Memory for everything else is that of one chunk and T / chunk states: O(sqrt T) by default.

    Under `rnnzoo.run` projection and readout happen chunk by chunk as well. A gradient costs one more forward pass."""

    keeps_states = False

    chunk: Size | None = None
    """Steps in a chunk (None: about sqrt(T))."""

    @property
    def exact(self) -> bool:
        return self.inner.exact

    def _steps(self, time: int) -> int:
        return self.chunk or max(1, math.isqrt(time))

    def _at_border(self, part: Part) -> Any:
        again = jax.checkpoint(part, prevent_cse=False)  # the loop over chunks keeps the two computations apart
        return lambda state, inputs, is_first: again(state, inputs)
