"""Light gated recurrent unit, Li-GRU (Ravanelli et al. 2018). arXiv:1803.10225"""

from typing import Literal

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Params, PyTree, State

_ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}


@spec
class LiGRU(Recurrent):
    """Light gated recurrent unit, Li-GRU::

        i_t = sigmoid(W_z x_t + b_z + U_z h_tm1)              Parameters  w.z w.n  (H, I)
        n_t = activation(W_n x_t + b_n + U_n h_tm1)                       b.z b.n  (H,)
        h_t = i_t * h_tm1 + (1 - i_t) * n_t                               u.z u.n  structure
                                                              State       h (H,)   Output  h

    i_t is the paper's z_t, which also normalises W_z x_t and W_n x_t over the batch. That is left out here, as a cell
    sees one sequence at a time: b.z and b.n are the shifts of that normalisation. With relu, h_t is bounded only as
    long as U_n does not amplify."""

    gates = ("z", "n")

    structure: Structures = Dense()
    activation: Literal["relu", "tanh"] = "relu"
    """The function of the candidate n_t."""

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = recur(state["h"])
        i_t, n_t = sigmoid(a["z"]), _ACTIVATIONS[self.activation](a["n"])
        return {"h": i_t * state["h"] + (1 - i_t) * n_t}
