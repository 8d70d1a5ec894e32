"""Run a cell over sequences: projection, unroll, readout, with one meaning of lengths, mask, resets and reverse."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.arguments import (
    as_array,
    as_inputs,
    check_array,
    check_controls,
    check_params,
    check_time,
    check_xs,
    input_size,
    require_cell,
)  # fmt: skip
from rnnzoo.cells.base import Cell
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.cells.noise import Noisy
from rnnzoo.order import as_lanes, held_at_padding, lane_lengths, turned
from rnnzoo.spec import UsageError
from rnnzoo.trees import path_name, shard_like, vary_like
from rnnzoo.typing import Array, Bool, Control, Float, Int, Key, Params, PyTree, State
from rnnzoo.unrolls.base import Ran, Unroll
from rnnzoo.unrolls.scan import Scan

Axis = Any  # the size of an axis: an integer, or a symbol in jax.export
Axes = tuple[Axis, ...]
LARGE = 2**30  # bytes of all states together, above which `run` says how many they are


def run(
    cell: Cell,
    params: PyTree,
    xs: Float[Array | np.ndarray, "T ..."],
    state: State | None = None,
    *,
    lengths: Int[Array | np.ndarray, " *B"] | Sequence[Any] | None = None,
    mask: Bool[Array | np.ndarray, " T *B"] | Sequence[Any] | None = None,
    resets: Bool[Array | np.ndarray, " T *B"] | Sequence[Any] | None = None,
    dt: Float[Array | np.ndarray, " T *B"] | Sequence[Any] | None = None,
    reverse: bool = False,
    key: Key | None = None,
    unroll: Unroll = Scan(),  # noqa: B008 (a frozen specification)
    states: bool = False,
) -> Any:
    """Run `cell` over `xs`, time first, then any number of batch axes.

    Args:
        cell: what to run.
        params: its parameters, from ``cell.init(key, input_size)``.
        xs: inputs (T, *B, I), floating point.
        state: the state before the first step, of leaves (*B, ...) or (...); None: ``cell.initial_state``.
        lengths: (*B,), integers from 0 to T. Steps past a sequence's length leave its state as it is and return
            zeros; what `xs` holds there has no influence on values or gradients, even if it is NaN.
        mask: (T, *B), False where a step is left out, anywhere in a sequence: as past its length, and the step's reset
            and dt have no influence either.
        resets: (T, *B), True where the state goes back to ``cell.initial_state`` before the step.
        dt: (T, *B), the time since the step before, in the order of running, for cells with `uses_dt` (None: 1). At the
            first step it is that since the state given.
        reverse: run from the last step to the first; ``ys[t]`` still belongs to ``xs[t]``.
        key: draws the training noise of cells that have any (zoneout, recurrent dropout, ...), the same from the same
            key; others ignore it. None: no noise, as in evaluation. Inside `jax.shard_map`, give each device its own,
            by `jax.random.fold_in(key, lax.axis_index(...))`: the same key draws the same noise on each.
        unroll: how to compute it; all unrolls agree.
        states: also return the states after all steps.

    Returns:
        ``(ys, last)``: outputs (T, *B, O) in the compute dtype, and the state after the last step that was run. With
        `states`, ``(ys, last, states)``: ``states[t]``, leaves (T, *B, ...), is the state after step t.

    Raises:
        UsageError (a ValueError): a wrong shape or dtype, or a cell that this unroll cannot run.
    """
    require_cell(cell)
    xs = as_inputs(xs)
    check_xs(cell, xs)
    check_params(cell, params, input_size(cell, xs))
    params, key = prepared(cell, params, key)
    return run_prepared(
        cell, params, xs, state, lengths=lengths, mask=mask, resets=resets, dt=dt, reverse=reverse, key=key,
        unroll=unroll, states=states,
    )  # fmt: skip


def prepared(cell: Cell, params: Params, key: Any = None) -> tuple[Params, Key | None]:
    """Parameters as `run_prepared` takes them, and the key that is left for the noise of single sequences."""
    if key is None or not isinstance(cell, Noisy):
        return cell.prepare(params), None
    typed = hasattr(key, "dtype") and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    if np.shape(key) != (() if typed else (2,)):
        raise UsageError(f"key is {key!r}; accepted: one key, such as jax.random.key(0)")
    return cell.prepare(cell.noisy_params(jax.random.fold_in(key, 0), params)), jax.random.fold_in(key, 1)


def run_prepared(
    cell: Cell, params: Params, xs: Any, state: State | None = None, *, lengths: Any = None, mask: Any = None,
    resets: Any = None, dt: Any = None, reverse: bool = False, key: Key | None = None,
    unroll: Any = Scan(),  # noqa: B008 (a frozen specification)
    states: bool = False,
) -> Any:  # fmt: skip
    """`run` with what `prepared` returned, for callers that prepare once and run often."""
    if not isinstance(unroll, Unroll):
        raise UsageError(f"unroll is {unroll!r}; accepted: a specification, such as rnnzoo.unrolls.Scan()")
    xs = jnp.asarray(xs)
    check_xs(cell, xs)
    lengths, mask, resets, dt = (None if a is None else as_array(a) for a in (lengths, mask, resets, dt))
    check_controls(xs.shape[: xs.ndim - cell.feature_axes], lengths, mask, resets)
    xs = _with_elapsed_time(cell, xs, dt)
    if reason := unroll.refuses(cell):
        raise UsageError(reason)
    check_time(unroll, xs)
    _say_bytes_of_memory(cell, params, unroll, xs, states)
    core = _compiled if unroll.compiled else _core
    ran = core(cell, unroll, reverse, states, params, xs, state, (lengths, mask, resets), key)
    return (ran.ys, ran.last, ran.states) if states else (ran.ys, ran.last)


def _core(
    cell: Cell, unroll: Unroll, reverse: bool, states: bool, params: Params, xs: Array, state: State | None,
    controls: tuple[Any, Any, Any], key: Key | None,
) -> Ran:  # fmt: skip
    """What `run` computes, from arguments that have been checked."""
    time, *batch = xs.shape[: xs.ndim - cell.feature_axes]
    # Before everything else: then a gradient of the parameters is summed over devices once, after all loops.
    params, xs, state, controls = vary_like(arguments := (params, xs, state, controls), arguments)
    state = _initial_state(cell, params, state, tuple(batch), xs)
    noise = None if key is None or not isinstance(cell, Noisy) else _noise(cell, key, time, tuple(batch))
    inputs = (xs, shard_like(_controls(time, tuple(batch), *controls, noise), xs, slice(0, 1 + len(batch))))
    inputs = jax.tree.map(lambda a: as_lanes(a, 1, len(batch)), inputs)
    lanes = jax.tree.map(lambda a: as_lanes(a, 0, len(batch)), state)
    ends = lane_lengths(controls[0], xs, len(batch)) if reverse else None
    if reverse:
        inputs = turned(inputs, ends)
    if states:
        _say_bytes(lanes, time)
    ran = unroll.apply(cell, params, lanes, *inputs, states=states)
    each = (ran.ys, ran.states)
    if reverse:
        each = turned((ran.ys, held_at_padding(ran.states, lanes, ends)), ends)
    ys, kept = jax.tree.map(lambda a: a.reshape(time, *batch, *a.shape[2:]), each)
    return Ran(ys, jax.tree.map(lambda a: a.reshape(*batch, *a.shape[1:]), ran.last), kept)


# Specifications are hashable: outside of a program of the user's own, equal calls share one compiled program.
_compiled = jax.jit(_core, static_argnums=(0, 1, 2, 3))


def _noise(cell: Noisy, key: Key, time: Axis, batch: Axes) -> PyTree:
    """Separate noise for every sequence, leaves (T, *B, ...)."""
    count = math.prod(batch)
    if not isinstance(count, int):
        raise UsageError(
            f"key draws noise for {count} sequences, a symbol of jax.export; accepted: a number of sequences, or no key"
        )
    draws = jax.vmap(lambda k: cell.noise(k, time), out_axes=1)(jax.random.split(key, count))
    return jax.tree.map(lambda a: a.reshape(time, *batch, *a.shape[2:]), draws)


def _controls(time: Axis, batch: Axes, lengths: Any, mask: Any, resets: Any, noise: PyTree) -> Control:
    """`Control` arrays (T, *B)."""
    active = None if mask is None else jnp.asarray(mask)
    if lengths is not None:
        within = jnp.arange(time).reshape(time, *[1] * len(batch)) < jnp.asarray(lengths)
        active = within if active is None else active & within
    return Control(active=active, reset=None if resets is None else jnp.asarray(resets), noise=noise)


def _with_elapsed_time(cell: Cell, xs: Array, dt: Any) -> Array:
    """Inputs as the cell's `project` reads them: with dt as one more feature if it uses it."""
    if not cell.uses_dt:
        if dt is not None:
            raise UsageError(f"dt is given, but {type(cell).__name__} has no use for it; accepted: cells with uses_dt")
        return xs
    if dt is None:
        dt = jnp.ones(xs.shape[:-1], xs.dtype)
    check_array("dt", dt, xs.shape[:-1], np.floating, "floating point")
    dt = shard_like(jnp.asarray(dt, xs.dtype), xs, slice(0, xs.ndim - 1))
    return jnp.concatenate([xs, dt[..., None]], -1)


def _initial_state(cell: Cell, params: Params, state: State | None, batch: Axes, xs: Array) -> State:
    """The state before the first step, with leaves (*B, ...), in the dtypes that the cell carries."""
    initial = cell.initial_state(params)
    given = initial if state is None else state
    if jax.tree.structure(given) != jax.tree.structure(initial):
        names = ", ".join(initial)
        raise UsageError(f"state of {type(cell).__name__} is {jax.tree.structure(given)}; accepted: a dict of {names}")

    def fit(path: Any, leaf: Any, like: Any) -> Array:
        if jnp.iscomplexobj(leaf) and not jnp.iscomplexobj(like):
            raise UsageError(f"state{path_name(path)} of {type(cell).__name__} is complex; accepted: {like.dtype}")
        leaf = jnp.asarray(leaf, like.dtype)
        if leaf.shape not in (like.shape, (*batch, *like.shape)):
            raise UsageError(
                f"state{path_name(path)} of {type(cell).__name__} has shape {leaf.shape}; "
                f"accepted: {(*batch, *like.shape)}" + (f" or {like.shape}" if batch else "")
            )
        return shard_like(jnp.broadcast_to(leaf, (*batch, *like.shape)), xs, slice(1, 1 + len(batch)))

    return vary_like(jax.tree_util.tree_map_with_path(fit, given, initial), (xs, params))


def _say_bytes(state: State, time: Axis) -> None:
    """Warn of states that are large when all T are kept."""
    count = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    if isinstance(time, int) and isinstance(count, int) and count * time > LARGE:
        warnings.warn(f"states=True keeps {count * time:,} bytes: {time} steps of {count:,} bytes", stacklevel=4)


def _say_bytes_of_memory(cell: Cell, params: Params, unroll: Unroll, xs: Array, states: bool) -> None:
    """Warn of an unroll that keeps the matrices of all T steps where they are large."""
    if not isinstance(cell.recurrence, MatrixMemory) or not unroll.keeps_states or states:
        return
    time, *batch = xs.shape[: xs.ndim - cell.feature_axes]
    state = jax.eval_shape(cell.initial_state, params)
    each = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    count = math.prod([time, *batch]) * each
    if isinstance(count, int) and count > LARGE:
        name = type(unroll).__name__
        warnings.warn(
            f"{name} keeps {count:,} bytes of {type(cell).__name__}: the matrices of all {time} steps; unrolls that do "
            "not: ChunkedMemory, Auto",
            stacklevel=3,
        )


__all__ = ["prepared", "run", "run_prepared"]
