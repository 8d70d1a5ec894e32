"""LSTM with coupled input and forget gates, CIFG (Greff et al. 2015). arXiv:1503.04069"""

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
class CIFGLSTM(Recurrent):
    """With ``peepholes=True``::

        f_t = sigmoid(W_f x_t + b_f + U_f h_tm1 + p_f * c_tm1)    Parameters  w.f w.g w.o  (H, I)
        g_t = tanh(W_g x_t + b_g + U_g h_tm1)                                 b.f b.g b.o  (H,)
        c_t = f_t * c_tm1 + (1 - f_t) * g_t                                   u.f u.g u.o  structure
        o_t = sigmoid(W_o x_t + b_o + U_o h_tm1 + p_o * c_t)                  p.f p.o      (H,)
        h_t = o_t * tanh(c_t)                                     State       h, c (H,)    Output  h

    c_t is a mean of all g_t so far, so that it stays in (-1, 1). The paper computes i_t and takes f_t = 1 - i_t, which
    is the same with the signs of W_f, b_f, U_f and p_f turned. With ``structure=Diagonal()`` it is the LSTM that
    ParaRNN runs in parallel (Danieli et al. 2025, arXiv:2510.21450). b.f starts at 1, the peepholes p normal with a
    standard deviation of 0.1."""

    gates = ("f", "g", "o")
    gate_names = MappingProxyType({"f": "forget", "g": "candidate", "o": "output"})
    carries = ("c", "h")

    structure: Structures = Dense()
    peepholes: bool = True
    """Whether f_t and o_t see the cell, through p. False: there is no p, and both are as in `LSTM`."""

    def init(self, key: Key, input_size: int) -> Params:
        key, p_key = jax.random.split(key)
        params = super().init(key, input_size)
        if self.bias:
            params["b"]["f"] += 1
        if self.peepholes:
            keys = zip("fo", jax.random.split(p_key, 2), strict=True)
            params["p"] = {g: 0.1 * jax.random.normal(k, (self.hidden_size,)) for g, k in keys}
        return params

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a, c_tm1 = recur(state["h"]), state["c"]
        p = params["p"] if self.peepholes else {"f": 0, "o": 0}
        f_t = sigmoid(a["f"] + p["f"] * c_tm1)
        c_t = f_t * c_tm1 + (1 - f_t) * jnp.tanh(a["g"])
        o_t = sigmoid(a["o"] + p["o"] * c_t)
        return {"c": c_t, "h": o_t * jnp.tanh(c_t)}
