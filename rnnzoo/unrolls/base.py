"""The contract of unrolls, and what they share: one step under controls, and one layer over a batch."""

import abc
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.histories import histories, without_histories
from rnnzoo.cells.noise import with_noise
from rnnzoo.cells.recur import Calls, Site, Summands, Sums, leaf, matrices
from rnnzoo.spec import Spec, UsageError, spec
from rnnzoo.trees import named, shard_like
from rnnzoo.typing import Array, Bool, Control, Float, Params, PyTree, State, widen
from rnnzoo.unrolls.inputs import valid_inputs, windows


class Ran(NamedTuple):
    """What a layer over a batch gives."""

    ys: Float[Array, "T B O"]
    last: State
    """The state after the last step, leaves (B, ...)."""
    states: State | None = None
    """The state after each step, leaves (T, B, ...), where it was asked for."""


@spec
class Unroll(Spec, abc.ABC, kind="unrolls"):
    """A way to compute all the states. All ways agree with the plain loop in values, and, if `exact`, in gradients."""

    exact: ClassVar[bool] = True  # False: derivatives differ from the loop's on purpose
    symbolic: ClassVar[bool] = True  # False: T must be a number, not a symbol of `jax.export`
    keeps_states: ClassVar[bool] = True  # False: memory for outputs and a gradient does not grow with T states
    compiled: ClassVar[bool] = True  # False: outside `jax.jit`, `rnnzoo.run` runs it operation by operation

    def refuses(self, cell: Cell) -> str | None:
        """Why this unroll cannot run that cell; None if it can."""
        return None

    @abc.abstractmethod
    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        """The states (T, ...) after each step of one sequence, from prepared `params`, the `state` before the first
        step, and the projected inputs `zs` (T, ...). `rnnzoo.run` has checked the arguments."""

    def apply(
        self, cell: Cell, params: Params, state: State, xs: Array, controls: Control, *, states: bool = False
    ) -> Ran:
        """A batch of inputs (T, B, I), projection and readout included; by default all T steps at once. With `states`,
        the states after all steps are returned as well."""
        return layer(self, cell, params, state, xs, controls, states=states)


# ---- one step --------------------------------------------------------------------------------------------


def advance(
    cell: Cell, params: Params, state: State, z_t: PyTree, control_t: Control, initial: State | None = None,
    sums: Sums | None = None,
) -> State:  # fmt: skip
    """`cell.step` under a control: the one meaning of lengths, masks and resets. The state keeps its dtypes.

    Args:
        cell: whose step it is.
        params: prepared parameters; without the recurrent matrices if `sums` is given.
        state: the state before the step.
        z_t: the projected input of the step.
        control_t: what happens besides.
        initial: what a reset goes back to (None: ``cell.initial_state(params)``).
        sums: computes z_t[gate] + U_gate vector for the step (None: from `params`).
    """
    z_t, state_tm1, names = widen(z_t), state, tuple(cell.structures)
    if control_t.reset is not None:
        initial = cell.initial_state(params) if initial is None else initial
        state_tm1 = select(control_t.reset, {name: initial[name] for name in state}, state_tm1)
    if sums is None:
        us, params = matrices(params, names)
        sums = plain_sums(cell, us, z_t)
    name = type(cell).__name__
    recur = Calls(name, names, sums)
    state_t = _step(cell, params, state_tm1, with_noise(Summands.of(name, z_t, names), control_t.noise), recur)
    check_state(name, state_t, state)
    state_t = jax.tree.map(lambda new, old: new.astype(old.dtype), state_t, state)
    return state_t if control_t.active is None else select(control_t.active, state_t, state)


def _step(cell: Cell, params: Params, state: State, z_t: PyTree, recur: Calls) -> Any:
    try:
        return cell.step(params, state, z_t, recur)
    except KeyError as error:
        if error.args != ("u",) or not cell.structures:
            raise
        raise UsageError(
            f"step of {type(cell).__name__} reads params['u']; accepted: recur(v), which multiplies v by every U"
        ) from None


def plain_sums(cell: Cell, us: dict[str, PyTree], z_t: PyTree) -> Sums:
    """``z_t[gate] + U_gate vector``, one product after the other."""

    def sums(heard: dict[Site, Array]) -> dict[Site, Array]:
        return {site: add(z_t, site[0], product(cell, us, site[0], vector)) for site, vector in heard.items()}

    return sums


def product(cell: Cell, us: dict[str, PyTree], gate: str, vector: Float[Array, " H"]) -> Float[Array, " H"]:
    """U_gate vector. The product runs in the compute dtype; the result has the vector's dtype, at least float32."""
    low = vector if cell.dtype is None else vector.astype(cell.dtype)
    return cell.structures[gate].matvec(us[gate], low).astype(jnp.promote_types(vector.dtype, jnp.float32))


def add(z_t: PyTree, gate: str, value: Array) -> Array:
    """z_t[gate] + value; value alone where z_t has no such leaf."""
    z = leaf(z_t, gate)
    return value if z is None else z + value


def check_state(name: str, new: Any, old: State) -> None:
    """Raise `UsageError` if a step has returned another tree, other shapes, or numbers of another kind."""
    if not isinstance(new, dict):
        raise UsageError(f"step of {name} returned {type(new).__name__}; accepted: a dict of {', '.join(sorted(old))}")
    if jax.tree.structure(new) != jax.tree.structure(old):
        returned, accepted = (", ".join(named(tree)) or "nothing" for tree in (new, old))
        raise UsageError(f"step of {name} returned {returned}; accepted: {accepted}")
    for (path, a), b in zip(named(new).items(), jax.tree.leaves(old), strict=True):
        kinds = [next(k for k in _KINDS if jnp.issubdtype(jnp.result_type(x), k)) for x in (a, b)]
        if jnp.shape(a) != b.shape or kinds[0] != kinds[1]:
            raise UsageError(
                f"step of {name} returned state{path} as {jnp.result_type(a)} of {jnp.shape(a)}; "
                f"accepted: {b.dtype} of {b.shape}"
            )


_KINDS = (jnp.bool_, jnp.integer, jnp.floating, jnp.complexfloating)


def select(condition: Bool[Array, ""], yes: PyTree, no: PyTree) -> PyTree:
    """`jnp.where` over trees of one structure; keeps the dtypes of `no`."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a.astype(b.dtype), b), yes, no)


# ---- one layer -------------------------------------------------------------------------------------------


def layer(
    unroll: Unroll, cell: Cell, params: Params, state: State, xs: Float[Array, "T B ..."], controls: Control, *,
    states: bool = False,
) -> Ran:  # fmt: skip
    """One recurrent layer: projection, `unroll` of every sequence, readout. Outputs are in the compute dtype. Steps
    that are not active give zeros, and what `xs` holds there has no influence."""
    each = jax.vmap(lambda *lane: unroll(cell, params, *lane), (0, 1, 1), 1)

    def lanes(state: State, zs: PyTree, controls: Control) -> tuple[State, State]:
        return with_last(each(state, zs, controls), state)

    return around(lanes, cell, params, state, xs, controls, states=states)


def around(
    unrolled: Callable[[State, PyTree, Control], tuple[State, State]], cell: Cell, params: Params, state: State,
    xs: Array, controls: Control, *, states: bool = False, readout: Callable[..., Array] | None = None,
) -> Ran:  # fmt: skip
    """`layer` around any function from (state, projected inputs, controls) to all states (T, B, ...) and the last. With
    a `readout` other than the cell's, what the function returns may be anything that `readout` takes instead."""
    xs = valid_inputs(xs, controls.active)
    if cell.dtype is not None:
        xs = xs.astype(cell.dtype)
    before = {name: state[name] for name in histories(cell)}
    state, past = without_histories(cell, state), {}
    first = cell.initial_state(params) if before and controls.reset is not None else {}
    if "x" in before:
        xs, past["x"] = windows(xs, before["x"], first.get("x"), controls)
    zs = shard_like(_each_step(cell.project, 1)(params, xs), xs, slice(0, 2))
    if "z" in before:
        zs, past["z"] = _z_windows(type(cell).__name__, zs, before["z"], first.get("z"), controls)
        zs = _each_step(cell.convolve, 1)(params, zs)
    all_states, last = unrolled(state, zs, controls)
    ys = _each_step(readout or cell.readout, 2)(params, all_states, zs)
    ys = ys.astype(cell.dtype or jnp.result_type(*jax.tree.leaves(zs)))
    if past:
        all_states = {**all_states, **past}
        last = {**last, **jax.tree.map(lambda new, old: new[-1] if new.shape[0] else old, past, before)}
    if controls.active is not None:
        ys = jnp.where(_along(controls.active, ys), ys, 0)
    return Ran(ys, last, all_states if states else None)


def _z_windows(
    name: str, zs: PyTree, before: dict[str, Array], first: dict[str, Array] | None, controls: Control
) -> tuple[PyTree, dict[str, Array]]:
    """The projected inputs with windows as the leaves that `before`, of the state of the cell called `name`, has; and
    what the state has of them after each step."""
    if not isinstance(zs, dict) or not before.keys() <= zs.keys():
        has = ", ".join(zs) if isinstance(zs, dict) else type(zs).__name__
        raise UsageError(f"state['z'] of {name} has {', '.join(before)}, and z_t {has}; accepted: leaves of z_t")
    found = {leaf: windows(zs[leaf], before[leaf], first[leaf] if first else None, controls) for leaf in before}
    past = {leaf: after for leaf, (_, after) in found.items()}
    return {**zs, **{leaf: window for leaf, (window, _) in found.items()}}, past


def with_last(states: State, state: State) -> tuple[State, State]:
    """All states and the last of them: `state`, the one before the first step, where there are no steps."""
    if jax.tree.leaves(states)[0].shape[0]:
        state = jax.tree.map(lambda a: a[-1], states)
    return states, state


def _each_step(function: Any, arguments: int) -> Any:
    """`function` of params and of `arguments` trees, at every step of every lane: leading axes (T, B)."""
    axes = (None, *[0] * arguments)
    return jax.vmap(jax.vmap(function, axes), axes)


def _along(active: Bool[Array, "T B"], array: Array) -> Bool[Array, "T B ..."]:
    return active.reshape(*active.shape, *[1] * (array.ndim - 2))


__all__ = [
    "Ran", "Unroll", "add", "advance", "around", "check_state", "layer", "plain_sums", "product", "select",
    "with_last",
]  # fmt: skip
