"""What many tests need: random trees, strict comparison."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np


def name(spec: Any) -> str:
    """A test id."""
    return str(spec)


def random_like(key: Any, tree: Any, scale: float = 1.0) -> Any:
    """A tree of the same shapes and dtypes, normally distributed."""
    leaves, structure = jax.tree.flatten(tree)
    keys = jax.random.split(key, len(leaves))
    return structure.unflatten(
        [scale * jax.random.normal(k, a.shape, a.dtype) for k, a in zip(keys, leaves, strict=True)]
    )


def assert_close(actual: Any, expected: Any, tolerance: float = 1e-10) -> None:
    """Both trees finite, of one structure and shape, and equal within a tolerance relative to the largest entry."""
    actual, expected = (jax.tree.map(np.asarray, tree) for tree in (actual, expected))
    chex.assert_trees_all_equal_structs(actual, expected)
    chex.assert_trees_all_equal_shapes(actual, expected)
    chex.assert_tree_all_finite((actual, expected))
    for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(actual), jax.tree.leaves(expected), strict=True):
        where = jax.tree_util.keystr(path)
        scale = max(1.0, float(np.abs(b).max(initial=0)))
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * scale, err_msg=where)


def inputs(time: int = 7, batch: tuple[int, ...] = (3,), features: int = 4, seed: int = 1) -> jax.Array:
    """Normally distributed inputs (T, *B, I)."""
    return jax.random.normal(jax.random.key(seed), (time, *batch, features), jnp.result_type(float))


def last_axis(cell: Any, features: int) -> int:
    """Features of the inputs of a cell along their last axis: as many as asked for, unless the cell says how many."""
    size = cell.input_size_of(features)
    return size if cell.feature_axes == 1 else size[-1]
