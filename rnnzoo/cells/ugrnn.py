"""Update gate recurrent network, UGRNN (Collins, Sohl-Dickstein & Sussillo 2017). arXiv:1611.09913"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Key, Params, PyTree, State


@spec
class UGRNN(Recurrent):
    """Update gate recurrent network, UGRNN::

        n_t = tanh(W_n x_t + b_n + U_n h_tm1)                 Parameters  w.g w.n  (H, I)
        g_t = sigmoid(W_g x_t + b_g + U_g h_tm1)                          b.g b.n  (H,)
        h_t = g_t * h_tm1 + (1 - g_t) * n_t                               u.g u.n  structure
                                                              State       h (H,)   Output  h

    As in the paper, which writes c for n and leaves the activation open (tanh here). b.g starts at 1, as in
    TensorFlow's UGRNNCell. Flax has this cell as ``MGUCell(reset_gate=False)``."""

    gates = ("g", "n")

    structure: Structures = Dense()

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            params["b"]["g"] += 1
        return params

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = recur(state["h"])
        n_t, g_t = jnp.tanh(a["n"]), sigmoid(a["g"])
        return {"h": g_t * state["h"] + (1 - g_t) * n_t}
