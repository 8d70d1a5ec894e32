"""Trees of arrays held against what is expected, with errors that name the entry."""

from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import NamedSharding, PartitionSpec, reshard

from rnnzoo.spec import UsageError


def check_tree(given: Any, like: Any, what: str, of: str, note: str = "") -> None:
    """Raise `UsageError` at the first difference in entries or shapes: `given`, the `what` of `of`, against `like`,
    whose leaves have shapes. `note` says what the expected shapes depend on."""
    expected, found = named(like), named(given)
    if missing := sorted(expected.keys() - found.keys()):
        raise UsageError(f"{what} of {of} lack {', '.join(missing)}")
    if unused := sorted(found.keys() - expected.keys()):
        raise UsageError(f"{what} of {of} have {', '.join(unused)}; accepted: {', '.join(sorted(expected))}")
    for path, leaf in expected.items():
        if np.shape(found[path]) != leaf.shape:
            raise UsageError(
                f"{what}{path} of {of} has shape {np.shape(found[path])}; {note}accepted: {tuple(leaf.shape)}"
            )


def named(tree: Any) -> dict[str, Any]:
    """The leaves by their path, such as ``['w']['i']``."""
    return {path_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def path_name(path: Any) -> str:
    """A path as Python writes it."""
    return jax.tree_util.keystr(path)


def vary_like(tree: Any, like: Any) -> Any:
    """The arrays of a tree marked as different on each device wherever those of `like` are: inside `jax.shard_map`,
    loops ask that what they carry is so from the start."""
    axes = frozenset().union(*map(_varying_axes, jax.tree.leaves(like)))

    def mark(leaf: Any) -> Any:
        missing = axes - _varying_axes(leaf)
        return lax.pcast(leaf, tuple(missing), to="varying") if missing else leaf

    return jax.tree.map(mark, tree) if axes else tree


def shard_like(tree: Any, xs: Any, axes: slice) -> Any:
    """The arrays of a tree, on an explicit mesh, split along their first axes as xs is along its `axes`."""
    sharding = jax.typeof(xs).sharding
    names = tuple(sharding.spec)[axes]
    if not any(names):
        return tree

    def split(leaf: Any) -> Any:
        spec = PartitionSpec(*names, *[None] * (leaf.ndim - len(names)))
        return reshard(leaf, NamedSharding(sharding.mesh, spec))

    return jax.tree.map(split, tree)


def _varying_axes(leaf: Any) -> frozenset[str]:
    kind = getattr(jax.typeof(leaf), "mat", None)  # None where JAX does not say
    return getattr(kind, "varying", frozenset())


__all__ = ["check_tree", "named", "path_name", "shard_like", "vary_like"]
