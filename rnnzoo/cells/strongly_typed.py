"""What strongly typed cells share: gates of an input and the one before it (Balduzzi & Ghifary 2016)."""

import abc

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Affine
from rnnzoo.spec import spec
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class StronglyTyped(Affine, abc.ABC):
    """An affine cell with z_t[gate] = W x_t + V x_tm1 + b, and with the input before it in the state."""

    gates = ("z", "f", "o")
    transition = Diagonal()
    history = 1

    def init(self, key: Key, input_size: int) -> Params:
        """As `Cell.init`, plus ``"v": {gate: (H, I)}``, drawn like w."""
        key, v_key = jax.random.split(key)
        return {**super().init(key, input_size), "v": super().init(v_key, input_size)["w"]}

    def initial_state(self, params: Params) -> State:
        state = super().initial_state(params)
        return {**state, "x": jnp.zeros((1, params["v"]["z"].shape[1]), state["h"].dtype)}

    def project(self, params: Params, x_t: Float[Array, "2 I"]) -> PyTree:
        z_t = super().project(params, x_t[1])
        return {g: z_t[g] + x_t[0] @ v.T for g, v in params["v"].items()}


__all__ = ["StronglyTyped"]
