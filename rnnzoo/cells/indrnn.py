"""Independently recurrent neural network, IndRNN (Li et al. 2018). arXiv:1803.04831"""

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Key, Params, PyTree, State


@spec
class IndRNN(Recurrent):
    """Independently recurrent neural network, IndRNN::

        h_t = relu(W_h x_t + b_h + U_h h_tm1)             Parameters  w.h (H, I)  b.h (H,)  u.h structure
                                                          State       h (H,)      Output    h

    With the default structure U_h = diag(u.h), u.h (H,), so that no unit hears another: that is IndRNN, and u.h
    starts uniform in (0, 1). With any other structure it is an Elman network with relu, and U_h starts as the
    structure does. The paper also clips abs(u.h) to 2**(1/T) after every update for sequences of T steps:
    `clip_recurrent` in a run's configuration."""

    structure: Structures = Diagonal()

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.recurrent_init is None and self.structure_of("h").connectivity == "self":
            params["u"] = jax.tree.map(jnp.abs, params["u"])
        return params

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        return {"h": jax.nn.relu(recur(state["h"])["h"])}
