"""Elman network, the simple recurrent network (Elman 1990). doi:10.1207/s15516709cog1402_1"""

from typing import Literal

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Params, PyTree, State

_ACTIVATIONS = {"tanh": jnp.tanh, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "identity": lambda a: a}


@spec
class Elman(Recurrent):
    """Elman network, the simple recurrent network::

        h_t = activation(W_h x_t + b_h + U_h h_tm1)       Parameters  w.h (H, I)  b.h (H,)  u.h structure
                                                          State       h (H,)      Output    h

    The paper's hidden units are logistic ("sigmoid"); tanh is what most libraries have. One bias (torch has two,
    which add up)."""

    structure: Structures = Dense()
    activation: Literal["tanh", "relu", "sigmoid", "identity"] = "tanh"
    """The function of the hidden units."""

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = recur(state["h"])
        return {"h": _ACTIVATIONS[self.activation](a["h"])}
