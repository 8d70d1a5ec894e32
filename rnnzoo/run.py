"""Run a cell over sequences: projection, unroll, readout, with one meaning of lengths, resets and reverse."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from rnnzoo.cells.base import Cell
from rnnzoo.cells.noise import Noisy
from rnnzoo.spec import UsageError
from rnnzoo.typing import Array, Bool, Control, Float, Int, Key, Params, PyTree, State
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.scan import Scan

Axis = Any  # the size of an axis: an integer, or a symbol in jax.export
Axes = tuple[Axis, ...]


def run(
    cell: Cell,
    params: Params,
    xs: Float[Array | np.ndarray, "T *B I"],
    state: State | None = None,
    *,
    lengths: Int[Array | np.ndarray, " *B"] | None = None,
    resets: Bool[Array | np.ndarray, " T *B"] | None = None,
    dt: Float[Array | np.ndarray, " T *B"] | None = None,
    reverse: bool = False,
    key: Key | None = None,
    unroll: Unroll = Scan(),  # noqa: B008 (a frozen specification)
) -> tuple[Float[Array, "T *B O"], State]:
    """Run `cell` over `xs`, time first, then any number of batch axes.

    Args:
        cell: what to run.
        params: its parameters, from ``cell.init(key, input_size)``.
        xs: inputs (T, *B, I), floating point.
        state: the state before the first step, of leaves (*B, H) or (H,); None: ``cell.initial_state``.
        lengths: (*B,), integers from 0 to T. Steps past a sequence's length leave its state as it is and return
            zeros; what `xs` holds there has no influence on values or gradients, even if it is NaN.
        resets: (T, *B), True where the state goes back to ``cell.initial_state`` before the step.
        dt: (T, *B), the time since the step before, in the order of running, for cells with `uses_dt` (None: 1). At the
            first step it is that since the state given.
        reverse: run from the last step to the first; ``ys[t]`` still belongs to ``xs[t]``.
        key: draws the training noise of cells that have any (zoneout, recurrent dropout, ...), the same from the same
            key; others ignore it. None: no noise, as in evaluation.
        unroll: how to compute it; all unrolls agree.

    Returns:
        ``(ys, last)``: outputs (T, *B, O) in the compute dtype, and the state after the last step.

    Raises:
        UsageError (a ValueError): a wrong shape or dtype, or a cell that this unroll cannot run.
    """
    _check_kinds(cell, unroll, key)
    xs = jnp.asarray(xs)
    lengths, resets, dt = (None if a is None else _array(a) for a in (lengths, resets, dt))
    _check_inputs(cell, params, xs, lengths, resets)
    xs = _with_elapsed_time(cell, xs, dt)
    if reason := unroll.refuses(cell):
        raise UsageError(reason)
    time, batch = xs.shape[0], xs.shape[1:-1]
    noise = None
    if key is not None and isinstance(cell, Noisy):
        params = cell.noisy_params(jax.random.fold_in(key, 0), params)
        noise = _noise(cell, jax.random.fold_in(key, 1), time, batch)
    params = cell.prepare(params)
    state = _initial_state(cell, params, state, batch)

    inputs = jax.tree.map(lambda a: _lanes(a, time, batch), (xs, _controls(time, batch, lengths, resets, noise)))
    if reverse:
        inputs = jax.tree.map(lambda a: jnp.flip(a, 0), inputs)
    lanes = jax.tree.map(lambda a: a.reshape(-1, *a.shape[len(batch) :]), state)
    ys, last = unroll.apply(cell, params, lanes, *inputs)
    if reverse:
        ys = jnp.flip(ys, 0)
    last = jax.tree.map(lambda a: a.reshape(*batch, *a.shape[1:]), last)
    return ys.reshape(time, *batch, ys.shape[-1]), last


def _lanes(array: Array, time: Axis, batch: Axes) -> Array:
    """(T, *B, ...) with all batch axes as one."""
    lanes = math.prod(batch)  # may be symbolic, in jax.export
    return array.reshape(time, lanes, *array.shape[1 + len(batch) :])


def _noise(cell: Noisy, key: Key, time: Axis, batch: Axes) -> PyTree:
    """Noise of its own for every sequence, leaves (T, *B, ...)."""
    draws = jax.vmap(lambda k: cell.noise(k, time), out_axes=1)(jax.random.split(key, int(np.prod(batch))))
    return jax.tree.map(lambda a: a.reshape(time, *batch, *a.shape[2:]), draws)


def _controls(time: Axis, batch: Axes, lengths: Any, resets: Any, noise: PyTree) -> Control:
    """`Control` arrays (T, *B)."""
    active = None
    if lengths is not None:
        active = jnp.arange(time).reshape(time, *[1] * len(batch)) < jnp.asarray(lengths)
    return Control(active=active, reset=None if resets is None else jnp.asarray(resets), noise=noise)


def _with_elapsed_time(cell: Cell, xs: Array, dt: Any) -> Array:
    """Inputs as the cell's `project` reads them: with dt as one more feature if it uses it."""
    if not cell.uses_dt:
        if dt is not None:
            raise UsageError(f"dt is given, but {type(cell).__name__} has no use for it; accepted: cells with uses_dt")
        return xs
    if dt is None:
        dt = jnp.ones(xs.shape[:-1], xs.dtype)
    _check_array("dt", dt, xs.shape[:-1], np.floating, "floating point")
    return jnp.concatenate([xs, jnp.asarray(dt, xs.dtype)[..., None]], -1)


def _initial_state(cell: Cell, params: Params, state: State | None, batch: Axes) -> State:
    """The state before the first step, with leaves (*B, ...), in the dtypes that the cell carries."""
    initial = cell.initial_state(params)
    given = initial if state is None else state
    if jax.tree.structure(given) != jax.tree.structure(initial):
        names = ", ".join(initial)
        raise UsageError(f"state of {type(cell).__name__} is {jax.tree.structure(given)}; accepted: a dict of {names}")

    def fit(path, leaf, like):
        if jnp.iscomplexobj(leaf) and not jnp.iscomplexobj(like):
            raise UsageError(f"state{_path(path)} of {type(cell).__name__} is complex; accepted: {like.dtype}")
        leaf = jnp.asarray(leaf, like.dtype)
        if leaf.shape not in (like.shape, (*batch, *like.shape)):
            raise UsageError(
                f"state{_path(path)} of {type(cell).__name__} has shape {leaf.shape}; "
                f"accepted: {(*batch, *like.shape)}" + (f" or {like.shape}" if batch else "")
            )
        return jnp.broadcast_to(leaf, (*batch, *like.shape))

    return jax.tree_util.tree_map_with_path(fit, given, initial)


# ---- checks ----------------------------------------------------------------------------------------------


def _check_kinds(cell: Any, unroll: Any, key: Any) -> None:
    """What is easily passed in place of a specification or of a key."""
    require_cell(cell)
    if not isinstance(unroll, Unroll):
        raise UsageError(f"unroll is {unroll!r}; accepted: a specification, such as rnnzoo.unrolls.Scan()")
    if key is None or not isinstance(cell, Noisy):
        return
    typed = hasattr(key, "dtype") and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    if np.shape(key) != (() if typed else (2,)):
        raise UsageError(f"key is {key!r}; accepted: one key, such as jax.random.key(0)")


def require_cell(cell: Any) -> None:
    """Raise `UsageError` for what is no specification of a cell, such as its class or a module of Flax."""
    if not isinstance(cell, Cell):
        raise UsageError(f"cell is {cell!r}; accepted: a specification, such as rnnzoo.cells.LSTM(hidden_size=8)")


def _array(value: Any) -> Any:
    """Lists and numbers as numpy arrays; arrays as they are."""
    return value if hasattr(value, "dtype") else np.asarray(value)


def _check_inputs(cell: Cell, params: Params, xs: Array, lengths: Any, resets: Any) -> None:
    if xs.ndim < 2:
        raise UsageError(f"xs has shape {xs.shape}; accepted: (T, I) or (T, batch..., I)")
    if not jnp.issubdtype(xs.dtype, jnp.floating):
        raise UsageError(f"xs is {xs.dtype}; accepted: floating point (embed tokens first)")
    check_params(cell, params, xs.shape[-1])
    time, batch = xs.shape[0], xs.shape[1:-1]
    if resets is not None:
        _check_array("resets", resets, (time, *batch), np.bool_, "True and False")
    if lengths is not None:
        _check_array("lengths", lengths, batch, np.integer, "integers")
        if not isinstance(lengths, Tracer):
            values = np.asarray(lengths)
            if values.size and (values.min() < 0 or values.max() > time):
                raise UsageError(f"lengths has values from {values.min()} to {values.max()}; accepted: 0 to {time}")


def _check_array(name: str, value: Any, shape: Axes, kind: Any, words: str) -> None:
    if np.shape(value) != shape or not jnp.issubdtype(jnp.result_type(value), kind):
        raise UsageError(f"{name} is {jnp.result_type(value)} of {np.shape(value)}; accepted: {words} of {shape}")


@functools.lru_cache(maxsize=256)
def expected_params(cell: Cell, input_size: int) -> Any:
    """The shapes of ``cell.init(key, input_size)``, without computing it."""
    return jax.eval_shape(lambda: cell.init(jax.random.key(0), input_size))


def check_params(cell: Cell, params: Params, input_size: int) -> None:
    """Raise `UsageError` naming the first array of `params` that `cell` cannot use with so many inputs."""
    if not input_size:
        raise UsageError("xs has no features: its last axis is 0; accepted: 1 or more")
    name = f"{type(cell).__name__}(hidden_size={cell.hidden_size})"
    expected = _named(expected_params(cell, input_size))
    given = _named(params)
    if missing := sorted(expected.keys() - given.keys()):
        raise UsageError(f"params of {name} lack {', '.join(missing)}")
    if unused := sorted(given.keys() - expected.keys()):
        raise UsageError(f"params of {name} have {', '.join(unused)}; accepted: {', '.join(sorted(expected))}")
    for key, like in expected.items():
        if np.shape(given[key]) != like.shape:
            raise UsageError(
                f"params{key} of {name} has shape {np.shape(given[key])}; "
                f"with xs of {input_size} features, accepted: {like.shape}"
            )


def _named(tree: Any) -> dict[str, Any]:
    return {_path(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _path(path: Any) -> str:
    return jax.tree_util.keystr(path)


__all__ = ["check_params", "expected_params", "require_cell", "run"]
