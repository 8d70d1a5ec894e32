"""Minimal gated unit, MGU (Zhou et al. 2016). arXiv:1603.09420"""

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
class MGU(Recurrent):
    """Minimal gated unit, MGU::

        f_t = sigmoid(W_f x_t + b_f + U_f h_tm1)              Parameters  w.f w.n  (H, I)
        n_t = tanh(W_n x_t + b_n + U_n (f_t * h_tm1))                     b.f b.n  (H,)
        h_t = (1 - f_t) * h_tm1 + f_t * n_t                               u.f u.n  structure
                                                              State       h (H,)   Output  h

    As in the paper. Flax's `MGUCell` is another cell: it applies f_t after U_n and takes
    h_t = f_t * h_tm1 + (1 - f_t) * n_t."""

    gates = ("f", "n")
    gate_names = MappingProxyType({"f": "forget", "n": "candidate"})

    structure: Structures = Dense()

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        h_tm1 = state["h"]
        f_t = sigmoid(recur({"f": h_tm1})["f"])
        n_t = jnp.tanh(recur({"n": f_t * h_tm1})["n"])
        return {"h": (1 - f_t) * h_tm1 + f_t * n_t}
