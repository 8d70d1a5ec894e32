"""Gated recurrent unit, reset after U (Cho et al. 2014; the form of cuDNN and torch).

arXiv:1406.1078, https://docs.nvidia.com/deeplearning/cudnn
"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Key, Params, PyTree, State


@spec
class GRU(Recurrent):
    """::

        r_t = sigmoid(W_r x_t + b_r + U_r h_tm1)              Parameters  w.r w.z w.n  (H, I)
        z_t = sigmoid(W_z x_t + b_z + U_z h_tm1)                          b.r b.z b.n  (H,)
        n_t = tanh(W_n x_t + b_n + r_t * (U_n h_tm1 + c))                 u.r u.z u.n  structure
        h_t = (1 - z_t) * n_t + z_t * h_tm1                               c            (H,), with `bias`
                                                              State       h (H,)       Output  h

    The paper resets before U, n_t = tanh(W_n x_t + b_n + U_n (r_t * h_tm1)): that is `GRUResetBefore`. The two are
    the same where U_n is diagonal and c is 0. One bias for each of r and z (torch has two, which add up)."""

    gates = ("r", "z", "n")

    structure: Structure = Dense()

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            params["c"] = jnp.zeros(self.hidden_size)
        return params

    def step(self, params: Params, state: State, z_t: PyTree) -> State:
        u = self.recur(params["u"], state["h"])
        reset_t = sigmoid(z_t["r"] + u["r"])
        keep_t = sigmoid(z_t["z"] + u["z"])
        heard_t = u["n"] + params["c"] if self.bias else u["n"]
        n_t = jnp.tanh(z_t["n"] + reset_t * heard_t)
        return {"h": (1 - keep_t) * n_t + keep_t * state["h"]}
