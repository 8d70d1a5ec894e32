"""Validate parameters and scores that come from outside; errors name the offending entry."""

import reprlib
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.typing import PyTree

REAL, COMPLEX = ("float16", "bfloat16", "float32", "float64"), ("complex64", "complex128")


def check_arrays(model: Model, arrays: dict[str, Any], where: str) -> PyTree:
    """Check that the arrays have the names, shapes and kinds of the model's parameters, and return those parameters as
    shapes and dtypes."""
    like = model.shapes()
    wanted = named(like)
    if names := sorted(wanted.keys() ^ arrays.keys()):
        raise UsageError(f"{where} does not fit the model: {names[0]} is in only one of them")
    for name, leaf in wanted.items():
        if arrays[name].shape != leaf.shape:
            raise UsageError(f"{name} of {where} has shape {arrays[name].shape}; accepted: {leaf.shape}")
        if arrays[name].dtype.name not in (accepted := _dtypes(leaf.dtype.name)):
            raise UsageError(f"{name} of {where} is {arrays[name].dtype}; accepted: {', '.join(accepted)}")
    return like


def _dtypes(name: str) -> tuple[str, ...]:
    """The dtypes in which a parameter may be stored: any width of its kind, so that files may use a narrower one."""
    return next((kind for kind in (REAL, COMPLEX) if name in kind), (name,))


def check_finite(arrays: dict[str, Any], where: str) -> None:
    """Raise `UsageError`, with the names of the arrays that hold NaN or infinity, if there are any."""
    if bad := [name for name, a in arrays.items() if not jnp.isfinite(a).all()]:
        raise UsageError(f"{where} has numbers that are not finite in {', '.join(bad)}; accepted: finite ones")


def checked_scores(scores: Any, where: str) -> dict[str, float]:
    """The scores as Python numbers; `UsageError` unless they are names and finite numbers."""
    if not isinstance(scores, dict):
        raise UsageError(f"{where} has scores {reprlib.repr(scores)}; accepted: names with finite numbers")
    for name, value in scores.items():
        if not isinstance(name, str) or not _is_finite(value):
            found = f"{reprlib.repr(name)}: {reprlib.repr(value)}"
            raise UsageError(f"{where} has scores {found}; accepted: names with finite numbers")
    return {name: float(value) for name, value in scores.items()}


def _is_finite(value: Any) -> bool:
    """Whether it is a number that a float can hold, or an array of one such number."""
    if isinstance(value, (np.generic, np.ndarray, jax.Array)) and value.shape == ():
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return -sys.float_info.max <= value <= sys.float_info.max  # NaN is not


def named(tree: PyTree) -> dict[str, Any]:
    """The arrays of a tree by their path, such as "layer_0/cell/u/i"."""
    paths = jax.tree_util.tree_leaves_with_path(tree)
    return {"/".join(str(getattr(k, "key", getattr(k, "idx", k))) for k in path): leaf for path, leaf in paths}


__all__ = ["check_arrays", "check_finite", "checked_scores", "named"]
