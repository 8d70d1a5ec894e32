"""LSTM whose gates see the cell, "peepholes" (Gers, Schraudolph & Schmidhuber 2002).

https://jmlr.org/papers/v3/gers02a.html
"""

from types import MappingProxyType

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Key, Params, PyTree, State


@spec
class PeepholeLSTM(Recurrent):
    """LSTM whose gates see the cell, "peepholes"::

        i_t = sigmoid(W_i x_t + b_i + U_i h_tm1 + p_i * c_tm1)    Parameters  w.i w.f w.g w.o  (H, I)
        f_t = sigmoid(W_f x_t + b_f + U_f h_tm1 + p_f * c_tm1)                b.i b.f b.g b.o  (H,)
        g_t = tanh(W_g x_t + b_g + U_g h_tm1)                                 u.i u.f u.g u.o  structure
        c_t = f_t * c_tm1 + i_t * g_t                                         p.i p.f p.o      (H,)
        o_t = sigmoid(W_o x_t + b_o + U_o h_tm1 + p_o * c_t)      State       h, c (H,)
        h_t = o_t * tanh(c_t)                                     Output      h

    The paper's memory blocks have one cell each here, and both squashing functions are tanh, as in Greff et al. 2015
    (arXiv:1503.04069); the paper's own are other sigmoids, and it leaves the second one out. b.f starts at 1, the
    peepholes p normal with a standard deviation of 0.1."""

    gates = ("i", "f", "g", "o")
    gate_names = MappingProxyType({"i": "input", "f": "forget", "g": "candidate", "o": "output"})
    carries = ("c", "h")

    structure: Structures = Dense()

    def init(self, key: Key, input_size: int) -> Params:
        key, p_key = jax.random.split(key)
        params = super().init(key, input_size)
        if self.bias:
            params["b"]["f"] += 1
        keys = zip("ifo", jax.random.split(p_key, 3), strict=True)
        return params | {"p": {g: 0.1 * jax.random.normal(k, (self.hidden_size,)) for g, k in keys}}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a, p, c_tm1 = recur(state["h"]), params["p"], state["c"]
        i_t = sigmoid(a["i"] + p["i"] * c_tm1)
        f_t = sigmoid(a["f"] + p["f"] * c_tm1)
        c_t = f_t * c_tm1 + i_t * jnp.tanh(a["g"])
        o_t = sigmoid(a["o"] + p["o"] * c_t)
        return {"c": c_t, "h": o_t * jnp.tanh(c_t)}
