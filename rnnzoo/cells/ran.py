"""Recurrent additive network, RAN (Lee, Levy & Zettlemoyer 2017). arXiv:1705.07393"""

from typing import Literal

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State

_ACTIVATIONS = {"tanh": jnp.tanh, "identity": lambda a: a}


@spec
class RAN(Recurrent):
    """Recurrent additive network, RAN::

        h_tm1 = activation(c_tm1)                             Parameters  w.i w.f w.n  (H, I)
        i_t = sigmoid(W_i x_t + b_i + U_i h_tm1)                          b.i b.f      (H,)
        f_t = sigmoid(W_f x_t + b_f + U_f h_tm1)                          u.i u.f      structure
        c_t = i_t * (W_n x_t) + f_t * c_tm1                   State       c (H,)
        h_t = activation(c_t)                                 Output      h

    So c_t is a sum of the W_n x_s of all s up to t, weighted by the gates. The paper's variant whose content is x_t
    itself is the one with a fixed W_n = 1."""

    gates = ("i", "f", "n")
    recurrent_gates = ("i", "f")
    carries = ("c",)

    structure: Structures = Dense()
    activation: Literal["tanh", "identity"] = "tanh"
    """The function of c_t that the gates hear and that is the output."""

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            del params["b"]["n"]
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        z_t = {g: x_t @ w.T for g, w in params["w"].items()}
        return z_t | {g: z_t[g] + b for g, b in params.get("b", {}).items()}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        c_tm1 = state["c"]
        a = recur(_ACTIVATIONS[self.activation](c_tm1))
        return {"c": sigmoid(a["i"]) * z_t["n"] + sigmoid(a["f"]) * c_tm1}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return _ACTIVATIONS[self.activation](state["c"])
