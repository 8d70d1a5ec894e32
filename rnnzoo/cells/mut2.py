"""MUT2, the second of three units found by a search through mutations (Jozefowicz, Zaremba & Sutskever 2015).

https://proceedings.mlr.press/v37/jozefowicz15.html
"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class MUT2(Recurrent):
    """MUT2, the second of three units found by a search through mutations::

        i_t = sigmoid(W_z x_t + b_z + U_z h_tm1)              Parameters  w.z w.r w.n  (H, I)
        r_t = sigmoid(W_r x_t + b_r + U_r h_tm1)                          b.z b.r b.n  (H,)
        n_t = tanh(W_n x_t + b_n + U_n (r_t * h_tm1))                     u.z u.r u.n  structure
        h_t = i_t * n_t + (1 - i_t) * h_tm1                   State       h (H,)       Output  h

    i_t is the paper's z_t. The paper has x_t for W_r x_t, which needs inputs as wide as the state: where I is H, there
    is no W_r here either. Where there is one, the cell is `GRUResetBefore` with 1 - i_t for i_t."""

    gates = ("z", "r", "n")

    structure: Structures = Dense()

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if input_size == self.hidden_size:
            del params["w"]["r"]
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        a = {"r": x_t} | {g: x_t @ w.T for g, w in params["w"].items()}
        return {g: a[g] + b for g, b in params["b"].items()} if self.bias else a

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        h_tm1 = state["h"]
        a = recur({"z": h_tm1, "r": h_tm1})
        i_t, r_t = sigmoid(a["z"]), sigmoid(a["r"])
        n_t = jnp.tanh(recur({"n": r_t * h_tm1})["n"])
        return {"h": i_t * n_t + (1 - i_t) * h_tm1}
