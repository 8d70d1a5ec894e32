"""One recurrent layer over a batch of sequences: projection, unroll, readout. What `Unroll.apply` does by default."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.base import Cell, Control, Unroll
from rnnzoo.typing import Array, Float, Params, PyTree, State


def layer(
    unroll: Unroll, cell: Cell, params: Params, state: State, xs: Float[Array, "T B I"], controls: Control
) -> tuple[Float[Array, "T B O"], State]:
    """Outputs in the compute dtype and the state after the last step, from prepared `params`, the state (B, ...)
    before the first step, and controls (T, B). Steps that are not active read zeros and give zeros."""
    each = jax.vmap(lambda *lane: unroll(cell, params, *lane), (0, 1, 1), 1)

    def lanes(state, zs, controls):
        return with_last(each(state, zs, controls), state)

    return around(lanes, cell, params, state, xs, controls)


def around(
    unrolled: Callable[[State, PyTree, Control], tuple[State, State]], cell: Cell, params: Params, state: State,
    xs: Array, controls: Control,
) -> tuple[Float[Array, "T B O"], State]:  # fmt: skip
    """`layer` around any function from (state, projected inputs, controls) to all states (T, B, ...) and the last."""
    if controls.active is not None:  # before the projection: 0 * NaN would spoil the gradient
        xs = jnp.where(controls.active[..., None], xs, 0)
    if cell.dtype is not None:
        xs = xs.astype(cell.dtype)
    zs = _each_step(cell.project, 1)(params, xs)
    states, last = unrolled(state, zs, controls)
    ys = _each_step(cell.readout, 2)(params, states, zs)
    ys = ys.astype(jnp.result_type(*jax.tree.leaves(zs)))
    if controls.active is not None:
        ys = jnp.where(controls.active[..., None], ys, 0)
    return ys, last


def with_last(states: State, state: State) -> tuple[State, State]:
    """All states and the last of them: `state`, the one before the first step, where there are no steps."""
    if jax.tree.leaves(states)[0].shape[0]:
        state = jax.tree.map(lambda a: a[-1], states)
    return states, state


def _each_step(function: Any, arguments: int) -> Any:
    """`function` of params and of `arguments` trees, at every step of every lane: leading axes (T, B)."""
    axes = (None, *[0] * arguments)
    return jax.vmap(jax.vmap(function, axes), axes)


__all__ = ["around", "layer", "with_last"]
