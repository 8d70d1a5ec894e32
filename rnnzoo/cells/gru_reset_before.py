"""Gated recurrent unit as first published, reset before U (Cho et al. 2014). arXiv:1406.1078"""

from types import MappingProxyType

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Params, PyTree, State


@spec
class GRUResetBefore(Recurrent):
    """Gated recurrent unit as first published, reset before U::

        r_t = sigmoid(W_r x_t + b_r + U_r h_tm1)              Parameters  w.r w.z w.n  (H, I)
        i_t = sigmoid(W_z x_t + b_z + U_z h_tm1)                          b.r b.z b.n  (H,)
        n_t = tanh(W_n x_t + b_n + U_n (r_t * h_tm1))                     u.r u.z u.n  structure
        h_t = (1 - i_t) * n_t + i_t * h_tm1                   State       h (H,)       Output  h

    i_t is the paper's z_t, a name that z_t has taken here; Haiku and Chung et al. (2014, arXiv:1412.3555) have 1 - i_t.
    The paper has no biases. Keras has this cell as ``reset_after=False``; cuDNN and torch have only `GRU`."""

    gates = ("r", "z", "n")
    gate_names = MappingProxyType({"r": "reset", "z": "update", "n": "candidate"})

    structure: Structures = Dense()

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        h_tm1 = state["h"]
        a = recur({"r": h_tm1, "z": h_tm1})
        r_t, i_t = sigmoid(a["r"]), sigmoid(a["z"])
        n_t = jnp.tanh(recur({"n": r_t * h_tm1})["n"])
        return {"h": (1 - i_t) * n_t + i_t * h_tm1}
