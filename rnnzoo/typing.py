"""The letters of array shapes, and the annotations that use them.

| letter | meaning |
|---|---|
| T | time steps (always the first axis) |
| B | batch |
| I | input features |
| H | hidden units |
| O | output features |

Annotations such as ``Float[Array, "T B I"]`` are jaxtyping's. rnnzoo itself needs only jax and numpy, so
at run time they are plain documentation; type checkers, and test runs with ``RNNZOO_CHECK_SHAPES=1``,
see the real ones. A string of one letter starts with a space, so that linters do not take it for a name.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import jax
import jax.numpy as jnp
from jax import Array

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, Shaped
elif os.environ.get("RNNZOO_CHECK_SHAPES") == "1":
    from jaxtyping import Bool, Float, Int, Shaped
else:

    class _Documented:
        """``Float[Array, "T H"]`` means ``Array``; the shape is for the reader."""

        def __class_getitem__(cls, item):
            return item[0]

    Bool = Float = Int = Shaped = _Documented

Key = Array  # a typed PRNG key, from `jax.random.key`
PyTree = Any  # nested dicts of arrays
if TYPE_CHECKING:
    Params = dict[str, Any]  # one cell's or one model's parameters
    State = dict[str, Any]  # what a cell carries from step to step
else:  # at run time a look into one would count as reading it (`unrolls.uses.Watched`)
    Params = State = Mapping
Connectivity = Literal["none", "self", "cascade", "cyclic"]  # what `rnnzoo.base.Structure` says of the graph of U


@dataclasses.dataclass(frozen=True)
class Control:
    """What happens at a step besides the cell's own equations. `None` where the caller gave none."""

    active: Any = None  # bool (T,) or (); False past a sequence's length: the state is held
    reset: Any = None  # bool (T,) or (); True: back to the initial state before this step
    noise: Any = None  # what a `rnnzoo.cells.noise.Noisy` cell has drawn for this sequence, leaves (T, ...)


jax.tree_util.register_dataclass(Control, ["active", "reset", "noise"], [])


def cast(tree: PyTree, dtype: Any) -> PyTree:
    """The tree with its floating-point arrays in `dtype` (None: unchanged)."""
    if dtype is None:
        return tree
    return jax.tree.map(lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a, tree)


def widen(tree: PyTree) -> PyTree:
    """The tree with half-precision arrays in float32: the arithmetic of gates and states is never below it."""
    half = (jnp.bfloat16, jnp.float16)
    return jax.tree.map(lambda a: a.astype(jnp.float32) if a.dtype in half else a, tree)


__all__ = [
    "Array",
    "Bool",
    "Connectivity",
    "Control",
    "Float",
    "Int",
    "Key",
    "Params",
    "PyTree",
    "Shaped",
    "State",
    "cast",
    "widen",
]
