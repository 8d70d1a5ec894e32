"""One step under lengths, resets and noise: what every unroll calls instead of `cell.step`."""

import jax
import jax.numpy as jnp

from rnnzoo.base import Cell, Control
from rnnzoo.noise import join
from rnnzoo.typing import Array, Bool, Params, PyTree, State


def advance(
    cell: Cell, params: Params, state: State, z_t: PyTree, control_t: Control, initial: State | None = None
) -> State:
    """`cell.step` under a control: the one meaning of lengths and resets. The state keeps its dtypes.
    `initial` is what a reset goes back to (None: ``cell.initial_state(params)``)."""
    state_tm1 = state
    if control_t.reset is not None:
        initial = cell.initial_state(params) if initial is None else initial
        state_tm1 = select(control_t.reset, initial, state_tm1)
    state_t = cell.step(params, state_tm1, join(widen(z_t), control_t.noise))
    state_t = jax.tree.map(lambda new, old: new.astype(old.dtype), state_t, state)
    return state_t if control_t.active is None else select(control_t.active, state_t, state)


def select(condition: Bool[Array, ""], yes: PyTree, no: PyTree) -> PyTree:
    """`jnp.where` over trees of one structure; keeps the dtypes of `no`."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a.astype(b.dtype), b), yes, no)


def widen(tree: PyTree) -> PyTree:
    """The tree with half-precision arrays in float32: gate arithmetic is never below it."""
    half = (jnp.bfloat16, jnp.float16)
    return jax.tree.map(lambda a: a.astype(jnp.float32) if a.dtype in half else a, tree)
