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
    running. Steps that a mask leaves out count too; padding after the last step changes no derivative. With
    ``inner=Chunked()`` each part is checkpointed too."""

    exact = False

    steps: Size = 64
    """Steps between two borders."""

    def _steps(self, time: int) -> int:
        return self.steps

    def _at_border(self, part: Part) -> Any:
        def cut(state, inputs, is_first):
            active = inputs[1].active
            # Where no step follows, the state is already the last one, which a longer sequence beside it must not cut.
            passes = jnp.asarray(is_first) if active is None else is_first | ~active.any(0)

            def at_border(leaf):
                whole = passes.reshape(*passes.shape, *[1] * (leaf.ndim - passes.ndim))
                return jnp.where(whole, leaf, lax.stop_gradient(leaf))

            return part(jax.tree.map(at_border, state), inputs)

        return cut
