"""One time step of a whole model, as a pure function that contains no loop."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.models import Model
from rnnzoo.spec import UsageError, spec
from rnnzoo.typing import Control, Params, PyTree, State
from rnnzoo.unrolls.base import Unroll, advance


def step_function(model: Model, params: Params) -> tuple[Callable[..., Any], tuple[Any, State]]:
    """``function(x, state) -> (y, state)`` of one sequence, and example arguments: x is a token () or a vector (I,), y
    has shape (O,), and the state is that before the first step. `UsageError` for a bidirectional model."""
    if model.stack.bidirectional:
        raise UsageError("a bidirectional model reads whole sequences; accepted for single steps: one direction")
    first = jax.tree.map(lambda a: a[0], model.initial_state(params, 1))

    def function(x: Any, state: State) -> tuple[Any, State]:
        lanes = jax.tree.map(lambda a: a[None], state)
        y, last = model.apply(params, x[None, None], lanes, unroll=_OneStep())
        return y.reshape(model.output_size), jax.tree.map(lambda a: a.reshape(a.shape[1:]), last)

    x = jnp.zeros((), jnp.int32) if model.tokens else jnp.zeros(model.input_size)
    return function, (x, first)


@spec
class _OneStep(Unroll):
    """For sequences of one step: no loop, over layers neither."""

    compiled = False

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        z_t, control_t = jax.tree.map(lambda a: a.reshape(a.shape[1:]), (zs, controls))
        return jax.tree.map(lambda a: a[None], advance(cell, params, state, z_t, control_t))


__all__ = ["step_function"]
