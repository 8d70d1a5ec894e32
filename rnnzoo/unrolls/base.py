"""The contract of unrolls, and what they share: one step under controls, and one layer over a batch."""

import abc
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.noise import with_noise
from rnnzoo.spec import Spec, spec
from rnnzoo.typing import Array, Bool, Control, Float, Params, PyTree, State


@spec
class Unroll(Spec, abc.ABC, kind="unrolls"):
    """A way to compute all the states. All ways agree with the plain loop in values, and, if `exact`, in gradients."""

    exact: ClassVar[bool] = True  # False: derivatives differ from the loop's on purpose

    def refuses(self, cell: Cell) -> str | None:
        """Why this unroll cannot run that cell; None if it can."""
        return None

    @abc.abstractmethod
    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        """The states (T, ...) after each step, from prepared `params`, the `state` before the first step, and
        the projected inputs `zs` (T, ...). `rnnzoo.run` has checked the arguments."""

    def apply(self, cell: Cell, params: Params, state: State, xs: Array, controls: Control) -> tuple[Array, State]:
        """Outputs (T, B, O) and last state (B, ...) of a batch of inputs (T, B, I); by default all T steps at once."""
        return layer(self, cell, params, state, xs, controls)


# ---- one step ----


def advance(
    cell: Cell, params: Params, state: State, z_t: PyTree, control_t: Control, initial: State | None = None
) -> State:
    """`cell.step` under a control: the one meaning of lengths and resets. The state keeps its dtypes.
    `initial` is what a reset goes back to (None: ``cell.initial_state(params)``)."""
    state_tm1 = state
    if control_t.reset is not None:
        initial = cell.initial_state(params) if initial is None else initial
        state_tm1 = select(control_t.reset, initial, state_tm1)
    state_t = cell.step(params, state_tm1, with_noise(widen(z_t), control_t.noise))
    state_t = jax.tree.map(lambda new, old: new.astype(old.dtype), state_t, state)
    return state_t if control_t.active is None else select(control_t.active, state_t, state)


def select(condition: Bool[Array, ""], yes: PyTree, no: PyTree) -> PyTree:
    """`jnp.where` over trees of one structure; keeps the dtypes of `no`."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a.astype(b.dtype), b), yes, no)


def widen(tree: PyTree) -> PyTree:
    """The tree with half-precision arrays in float32: gate arithmetic is never below it."""
    half = (jnp.bfloat16, jnp.float16)
    return jax.tree.map(lambda a: a.astype(jnp.float32) if a.dtype in half else a, tree)


# ---- one layer ----


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


__all__ = ["Unroll", "advance", "around", "layer", "select", "widen", "with_last"]
