"""What `rnnzoo.run` is given, checked before anything is computed."""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from rnnzoo.cells.base import Cell
from rnnzoo.integers import check_integers
from rnnzoo.spec import UsageError, brief
from rnnzoo.trees import check_tree
from rnnzoo.typing import Array, Bool, Params

Axes = tuple[Any, ...]  # sizes of axes: integers, or symbols in jax.export


def require_cell(cell: Any) -> None:
    """Raise `UsageError` for what is no specification of a cell, such as its class or a module of Flax."""
    if not isinstance(cell, Cell):
        raise UsageError(f"cell is {_shown(cell)}; accepted: a specification, such as rnnzoo.cells.LSTM(hidden_size=8)")


def as_inputs(xs: Any) -> Array:
    """`xs` as an array. Raise `UsageError` for a tree, such as the parameters in their place."""
    if isinstance(xs, Mapping):
        raise UsageError(f"xs is {_shown(xs)}; accepted: an array (T, *B, I), after the parameters")
    return jnp.asarray(xs)


def _shown(value: Any) -> str:
    """A value that stands where another belongs, without the numbers of its arrays."""
    if isinstance(value, Mapping):
        return f"a {type(value).__name__} of {', '.join(map(str, value))}"
    return f"an array {value.shape}" if isinstance(value, (jax.Array, np.ndarray)) else brief(value)


def as_array(value: Any) -> Any:
    """Arrays as they are; lists as numpy's, whose values can be checked, unless some are of a program being traced."""
    if hasattr(value, "dtype"):
        return value
    is_traced = any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(value))
    return jnp.asarray(value) if is_traced else np.asarray(value)


def input_size(cell: Cell, xs: Array) -> Any:
    """The size of one input: the number of features, or their shape where the cell has several feature axes."""
    return xs.shape[-1] if cell.feature_axes == 1 else xs.shape[xs.ndim - cell.feature_axes :]


def check_xs(cell: Cell, xs: Array) -> None:
    """Raise `UsageError` for inputs of a wrong number of axes or dtype, or without features."""
    if xs.ndim < 1 + cell.feature_axes:
        features = "I" if cell.feature_axes == 1 else ", ".join(f"I_{k}" for k in range(cell.feature_axes))
        raise UsageError(f"xs has shape {xs.shape}; accepted: (T, {features}) or (T, batch..., {features})")
    if not jnp.issubdtype(xs.dtype, jnp.floating):
        raise UsageError(f"xs is {xs.dtype}; accepted: floating point (embed tokens first)")
    if not all(xs.shape[xs.ndim - cell.feature_axes :]):
        raise UsageError("xs has no features: its last axis is 0; accepted: 1 or more")


def check_time(unroll: Any, xs: Array) -> None:
    """Raise `UsageError` for a time axis that is split over devices, or one of symbolic size if `unroll` needs it."""
    if not isinstance(xs.shape[0], int) and not unroll.symbolic:
        raise UsageError(
            f"T is {xs.shape[0]}, a symbol of jax.export, and {type(unroll).__name__} takes numbers; accepted: Scan(), "
            "which has the same values, or xs with a T that is a number"
        )
    if name := jax.typeof(xs).sharding.spec[0]:
        raise UsageError(
            f"T is split over the explicit mesh axis {name!r}, and each step needs the one before; accepted: xs split "
            f"along batch axes, such as PartitionSpec(None, {name!r})"
        )


def check_controls(axes: Axes, lengths: Any, mask: Any, resets: Any) -> None:
    """Raise `UsageError` for controls that do not fit the axes (T, *B), or lengths outside 0 to T."""
    time, batch = axes[0], axes[1:]
    for name, value in (("mask", mask), ("resets", resets)):
        if value is not None:
            check_array(name, value, axes, np.bool_, "True and False")
    if lengths is not None:
        check_array("lengths", lengths, batch, np.integer, "integers")
        check_integers("lengths", lengths, 0, time)


def counted_steps(shape: Axes, lengths: Any, mask: Any) -> Bool[Array, "T B"] | None:
    """Which steps count; None for all."""
    active = None if mask is None else jnp.asarray(mask)
    if lengths is None:
        return active
    within = jnp.broadcast_to(jnp.arange(shape[0])[:, None] < jnp.asarray(lengths), shape)
    return within if active is None else active & within


def check_array(name: str, value: Any, shape: Axes, kind: Any, words: str) -> None:
    """Raise `UsageError` for another shape, or a dtype that is not of this kind, which `words` name."""
    if np.shape(value) != shape or not jnp.issubdtype(jnp.result_type(value), kind):
        raise UsageError(f"{name} is {jnp.result_type(value)} of {np.shape(value)}; accepted: {words} of {shape}")


def check_inputs(x: Any, size: int, tokens: bool, counts: Any) -> None:
    """Raise `UsageError` for inputs x of a network that are neither vectors (T, B, size) nor, with `tokens`, integers
    (T, B) below `size`. Tokens may be anything where `counts` (T, B) is False."""
    if not tokens:
        if x.ndim != 3 or x.shape[-1] != size or not jnp.issubdtype(x.dtype, jnp.floating):
            raise UsageError(f"x is {x.dtype} of {x.shape}; accepted: floating point of (T, B, {size})")
        return
    if x.ndim != 2:
        raise UsageError(f"x is {x.dtype} of {x.shape}; accepted: integers from 0 to {size - 1} of (T, B)")
    check_integers("x", x, 0, size - 1, counts)


@functools.lru_cache(maxsize=256)
def expected_params(of: Any, *input_size: Any) -> Any:
    """The shapes of ``cell.init(key, input_size)``, or of ``model.init(key)``, without computing it."""
    return jax.eval_shape(lambda: of.init(jax.random.key(0), *input_size))


def check_params(cell: Cell, params: Params, input_size: Any) -> None:
    """Raise `UsageError` naming the first array of `params` that `cell` cannot use with so many inputs."""
    name = f"{type(cell).__name__}(hidden_size={cell.hidden_size})"
    check_tree(params, expected_params(cell, input_size), "params", name, f"with xs of {input_size} features, ")


__all__ = [
    "as_array",
    "as_inputs",
    "check_array",
    "check_controls",
    "check_inputs",
    "check_params",
    "check_time",
    "check_xs",
    "counted_steps",
    "expected_params",
    "input_size",
    "require_cell",
]
