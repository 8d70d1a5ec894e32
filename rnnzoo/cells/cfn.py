"""Chaos-free network, CFN (Laurent & von Brecht 2017). arXiv:1612.06212"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class CFN(Recurrent):
    """Chaos-free network, CFN::

        theta_t = sigmoid(W_theta x_t + b_theta + U_theta h_tm1)      Parameters  w.theta w.eta w.h  (H, I)
        eta_t = sigmoid(W_eta x_t + b_eta + U_eta h_tm1)                          b.theta b.eta      (H,)
        h_t = theta_t * tanh(h_tm1) + eta_t * tanh(W_h x_t)                       u.theta u.eta      structure
                                                                      State       h (H,)   Output  h

    W_h x_t has no bias, so that h_t decays to 0 while the input is 0, whatever the parameters are. b_theta starts at 1
    and b_eta at -1, as in the paper's experiments."""

    gates = ("theta", "eta", "h")
    recurrent_gates = ("theta", "eta")

    structure: Structures = Dense()

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            del params["b"]["h"]
            params["b"]["theta"] += 1
            params["b"]["eta"] -= 1
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        z_t = {g: x_t @ w.T for g, w in params["w"].items()}
        return z_t | {g: z_t[g] + b for g, b in params.get("b", {}).items()} | {"h": jnp.tanh(z_t["h"])}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = recur(state["h"])
        return {"h": sigmoid(a["theta"]) * jnp.tanh(state["h"]) + sigmoid(a["eta"]) * z_t["h"]}
