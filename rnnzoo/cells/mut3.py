"""MUT3, the third of three units found by a search through mutations (Jozefowicz, Zaremba & Sutskever 2015).

https://proceedings.mlr.press/v37/jozefowicz15.html
"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Params, PyTree, State


@spec
class MUT3(Recurrent):
    """MUT3, the third of three units found by a search through mutations::

        i_t = sigmoid(W_z x_t + b_z + U_z tanh(h_tm1))        Parameters  w.z w.r w.n  (H, I)
        r_t = sigmoid(W_r x_t + b_r + U_r h_tm1)                          b.z b.r b.n  (H,)
        n_t = tanh(W_n x_t + b_n + U_n (r_t * h_tm1))                     u.z u.r u.n  structure
        h_t = i_t * n_t + (1 - i_t) * h_tm1                   State       h (H,)       Output  h

    As in the paper; i_t is its z_t."""

    gates = ("z", "r", "n")

    structure: Structures = Dense()

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        h_tm1 = state["h"]
        a = recur({"z": jnp.tanh(h_tm1), "r": h_tm1})
        i_t, r_t = sigmoid(a["z"]), sigmoid(a["r"])
        n_t = jnp.tanh(recur({"n": r_t * h_tm1})["n"])
        return {"h": i_t * n_t + (1 - i_t) * h_tm1}
