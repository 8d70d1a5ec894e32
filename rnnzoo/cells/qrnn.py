"""Quasi-recurrent neural network, QRNN (Bradbury et al. 2017). arXiv:1611.01576"""

from typing import Literal

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Affine
from rnnzoo.spec import Size, derived, spec
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class QRNN(Affine):
    """Gates read the last k = `width` inputs, X_t = [x_{t-k+1}, ..., x_t] (k, I)::

        z_t = tanh(W_z X_t + b_z)                             Parameters  w.z w.f w.o w.i  (H, k, I)
        f_t = sigmoid(W_f X_t + b_f)                                      b.z b.f b.o b.i  (H,)
        o_t = sigmoid(W_o X_t + b_o)                          State       h (H,), x (k - 1, I), zeros at first
        h_t = f_t * h_tm1 + (1 - f_t) * z_t                   Output      o_t * h_t

    the paper's "fo" pooling, whose c_t is h_t here and whose h_t is the output. "f" has no o_t: the output is h_t.
    "ifo" has i_t = sigmoid(W_i X_t + b_i) in place of 1 - f_t. The authors' code has f_t and 1 - f_t the other way
    round, and its two inputs with the newest first."""

    width: Size = 2
    """Number of inputs k that the gates read, the newest included."""
    pooling: Literal["f", "fo", "ifo"] = "fo"
    """Which gates there are besides z."""

    transition = Diagonal()
    history = derived(lambda self: self.width - 1)

    @property
    def gates(self) -> tuple[str, ...]:
        return ("z", *self.pooling)

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, self.width * input_size)
        shape = (self.hidden_size, self.width, input_size)
        return {**params, "w": {g: w.reshape(shape) for g, w in params["w"].items()}}

    def initial_state(self, params: Params) -> State:
        state = super().initial_state(params)
        past = jnp.zeros((self.history, params["w"]["z"].shape[-1]), state["h"].dtype)
        return {**state, "x": past} if self.history else state

    def project(self, params: Params, x_t: Float[Array, "..."]) -> PyTree:
        flat = {g: w.reshape(self.hidden_size, -1) for g, w in params["w"].items()}
        return super().project({**params, "w": flat}, x_t.reshape(-1))

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        i_t = sigmoid(z_t["i"]) if self.pooling == "ifo" else sigmoid(-z_t["f"])
        return sigmoid(z_t["f"]), i_t * jnp.tanh(z_t["z"])

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return state["h"] if self.pooling == "f" else sigmoid(z_t["o"]) * state["h"]
