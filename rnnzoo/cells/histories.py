"""The entries of a state that hold what came before x_t: neither read nor written by `step`."""

from typing import Any

import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.typing import Array, Params, PyTree, State


def histories(cell: Cell) -> tuple[str, ...]:
    """Their names: "x" where `project` reads past inputs, "z" where `convolve` reads past projections."""
    return ("x",) * (cell.history > 0) + ("z",) * (cell.z_history > 0)


def without_histories(cell: Cell, state: State) -> State:
    """The state as `step` gets it."""
    return {name: value for name, value in state.items() if name not in histories(cell)}


def z_at(cell: Cell, params: Params, x_t: Array, state: State) -> Any:
    """What the step after `state` gets, from what `project` reads at that step."""
    z_t: PyTree = cell.project(params, x_t)
    if not cell.z_history:
        return z_t
    window = {
        name: jnp.concatenate([past.astype(z_t[name].dtype), z_t[name][None]]) for name, past in state["z"].items()
    }
    return cell.convolve(params, {**z_t, **window})


__all__ = ["histories", "without_histories", "z_at"]
