"""Truncated back-propagation through time (Williams & Peng 1990, doi:10.1162/neco.1990.2.4.490)."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.spec import Size, spec
from rnnzoo.unrolls.parts import Part, Parts


@spec
class Truncated(Parts):
    """The states of `inner`; derivatives do not cross the borders every `steps` steps, counted in the order of
    running. With ``inner=Chunked()`` each part is checkpointed too."""

    exact = False

    steps: Size = 64
    """Steps between two borders."""

    def _steps(self, time: int) -> int:
        return self.steps

    def _at_border(self, part: Part) -> Any:
        def cut(state, inputs, is_first):
            return part(jax.tree.map(lambda a: jnp.where(is_first, a, lax.stop_gradient(a)), state), inputs)

        return cut
