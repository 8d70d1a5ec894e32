"""FastGRNN, a gated network whose gate and candidate share W and U (Kusupati et al. 2018). arXiv:1901.02358"""

from typing import Literal

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.fast_rnn import ACTIVATIONS, gate
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class FastGRNN(Recurrent):
    """FastGRNN, a gated network whose gate and candidate share W and U::

        a_t = W_h x_t + U_h h_tm1                             Parameters  w.h (H, I)  u.h structure
        i_t = sigmoid(a_t + b_z)                                          b.z b.n (H,)
        n_t = activation(a_t + b_n)                                       zeta, nu ()
        h_t = (sigmoid(zeta) * (1 - i_t) + sigmoid(nu)) * n_t + i_t * h_tm1
                                                              State       h (H,)      Output    h

    i_t is the paper's z_t. zeta starts at 1, nu at -4 and both biases at 1, as in the authors' code. That draws W and U
    from a normal distribution of standard deviation 0.1; here they start as in other cells. A low rank of U is
    ``structure=LowRank(rank=...)``; W has full rank here. The training in three phases, which makes W and U sparse, is
    no part of the cell."""

    structure: Structures = Dense()
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"
    """The function of the candidate n_t."""

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            params["b"] = {g: jnp.ones(self.hidden_size) for g in ("z", "n")}
        return params | {"zeta": jnp.array(1.0), "nu": jnp.array(-4.0)}

    def prepare(self, params: Params) -> Params:
        rest = {name: value for name, value in params.items() if name not in ("zeta", "nu")}
        return {**super().prepare(rest), "gain": gate(params["zeta"]), "leak": gate(params["nu"])}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {"h": x_t @ params["w"]["h"].T}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a_t = recur(state["h"])["h"]
        b = params["b"] if self.bias else {"z": 0, "n": 0}
        i_t, n_t = sigmoid(a_t + b["z"]), ACTIVATIONS[self.activation](a_t + b["n"])
        return {"h": (params["gain"] * (1 - i_t) + params["leak"]) * n_t + i_t * state["h"]}
