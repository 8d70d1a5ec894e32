"""The contract of cells with training noise: drawn outside the loop, from a key, before the unroll sees anything."""

import dataclasses

import jax

from rnnzoo.base import Cell, spec
from rnnzoo.typing import Array, Key, Params, PyTree


@spec
class Noisy(Cell):
    """A cell that is trained under noise. ``run(..., key=...)`` calls both methods; without a key neither is called,
    and the cell computes what its paper does in evaluation."""

    def disturb_params(self, key: Key, params: Params) -> Params:
        """The parameters under noise, one draw for the whole batch. `prepare` comes after. By default unchanged."""
        return params

    def disturb(self, key: Key, zs: PyTree) -> PyTree:
        """What `project` returned for one sequence, leaves (T, ...), with its noise. By default unchanged."""
        return zs


@dataclasses.dataclass(frozen=True)
class Disturbed:
    """z_t of a wrapper in training: that of the wrapped cell, and what the wrapper has drawn."""

    cell: PyTree
    noise: PyTree


jax.tree_util.register_dataclass(Disturbed, ["cell", "noise"], [])


def keep_mask(key: Key, rate: float, shape: tuple[int, ...], dtype: jax.typing.DTypeLike) -> Array:
    """0 with probability `rate`, else 1 / (1 - rate), so that the mean is 1."""
    keep = jax.random.bernoulli(key, 1 - rate, shape)
    return keep.astype(dtype) / max(1 - rate, 1e-9)


def parts(z_t: PyTree) -> tuple[PyTree, PyTree]:
    """The wrapped cell's z_t, and the noise drawn for it or None."""
    return (z_t.cell, z_t.noise) if isinstance(z_t, Disturbed) else (z_t, None)


__all__ = ["Disturbed", "Noisy", "keep_mask", "parts"]
