"""The contract of cells with training noise: drawn outside the loop, from a key, before the unroll sees anything."""

import dataclasses

import jax

from rnnzoo.cells.base import Cell
from rnnzoo.spec import spec
from rnnzoo.typing import Key, Params, PyTree


@spec
class Noisy(Cell):
    """A cell that is trained under noise. ``run(..., key=...)`` calls both methods; without a key neither is called,
    and the cell computes what its paper does in evaluation."""

    def noisy_params(self, key: Key, params: Params) -> Params:
        """The parameters under noise, one draw for the whole batch. `prepare` comes after. By default unchanged."""
        return params

    def noise(self, key: Key, time: int) -> PyTree:
        """The noise of one sequence, leaves (T, ...), or None, the default. `step` finds it by `without_noise`."""
        return None


@dataclasses.dataclass(frozen=True)
class WithNoise:
    """z_t with the noise of its step; `step` of a `Noisy` cell gets it in training."""

    z: PyTree
    noise: PyTree


jax.tree_util.register_dataclass(WithNoise, ["z", "noise"], [])


def with_noise(z_t: PyTree, noise_t: PyTree) -> PyTree:
    """z_t with its noise, if there is any."""
    return z_t if noise_t is None else WithNoise(z_t, noise_t)


def without_noise(z_t: PyTree) -> tuple[PyTree, PyTree]:
    """z_t as `project` returned it, and its noise or None."""
    return (z_t.z, z_t.noise) if isinstance(z_t, WithNoise) else (z_t, None)


__all__ = ["Noisy", "WithNoise", "with_noise", "without_noise"]
