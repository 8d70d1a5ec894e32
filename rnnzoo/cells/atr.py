"""Addition-subtraction twin-gated recurrent unit, ATR (Zhang et al. 2018). arXiv:1810.12546"""

from types import MappingProxyType

from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Params, PyTree, State


@spec
class ATR(Recurrent):
    """Addition-subtraction twin-gated recurrent unit, ATR::

        p_t = W_h x_t + b_h                                   Parameters  w.h (H, I)  b.h (H,)  u.h structure
        q_t = U_h h_tm1                                       State       h (H,)      Output    h
        h_t = sigmoid(p_t + q_t) * p_t + sigmoid(p_t - q_t) * h_tm1

    With the forget gate sigmoid(p_t - q_t), as in the authors' code, where they say that it is misprinted in the
    paper. The bias is from that code, too."""

    input_leaves = MappingProxyType({"h": "p"})

    structure: Structures = Dense()

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {"p": super().project(params, x_t)["h"]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        p_t, q_t = z_t["p"], recur(state["h"])["h"]
        return {"h": sigmoid(p_t + q_t) * p_t + sigmoid(p_t - q_t) * state["h"]}
