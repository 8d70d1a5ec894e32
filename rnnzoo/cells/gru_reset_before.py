"""Gated recurrent unit as first published, reset before U (Cho et al. 2014). arXiv:1406.1078"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Params, PyTree, State


@spec
class GRUResetBefore(Recurrent):
    """::

        r_t = sigmoid(W_r x_t + b_r + U_r h_tm1)              Parameters  w.r w.z w.n  (H, I)
        z_t = sigmoid(W_z x_t + b_z + U_z h_tm1)                          b.r b.z b.n  (H,)
        n_t = tanh(W_n x_t + b_n + U_n (r_t * h_tm1))                     u.r u.z u.n  structure
        h_t = (1 - z_t) * n_t + z_t * h_tm1                   State       h (H,)       Output  h

    The paper has no biases. Haiku and Chung et al. (2014, arXiv:1412.3555) call 1 - z_t what is z_t here. Keras has
    it as ``reset_after=False``; cuDNN and torch have only `GRU`."""

    gates = ("r", "z", "n")

    structure: Structure = Dense()

    def step(self, params: Params, state: State, z_t: PyTree) -> State:
        h_tm1, u = state["h"], params["u"]
        gates = self.recur({"r": u["r"], "z": u["z"]}, h_tm1)
        reset_t = sigmoid(z_t["r"] + gates["r"])
        keep_t = sigmoid(z_t["z"] + gates["z"])
        n_t = jnp.tanh(z_t["n"] + self.recur({"n": u["n"]}, reset_t * h_tm1)["n"])
        return {"h": (1 - keep_t) * n_t + keep_t * h_tm1}
