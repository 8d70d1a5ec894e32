"""LSTM with uniform initialisation and a refine gate, UR-LSTM (Gu et al. 2020). arXiv:1910.09890"""

import jax
import jax.numpy as jnp
from jax.nn import sigmoid
from jax.scipy.special import logit

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Key, Params, PyTree, State


@spec
class URLSTM(Recurrent):
    """LSTM with uniform initialisation and a refine gate, UR-LSTM::

        f_t = sigmoid(W_f x_t + b_f + U_f h_tm1)          Parameters  w.f w.r w.u w.o  (H, I)
        r_t = sigmoid(W_r x_t + b_r + U_r h_tm1)                      b.f b.r b.u b.o  (H,)
        g_t = 2 * r_t * f_t + (1 - 2 * r_t) * f_t**2                  u.f u.r u.u u.o  structure
        u_t = tanh(W_u x_t + b_u + U_u h_tm1)             State       h, c (H,)
        o_t = sigmoid(W_o x_t + b_o + U_o h_tm1)          Output      h
        c_t = g_t * c_tm1 + (1 - g_t) * u_t
        h_t = o_t * tanh(c_t)

    r_t moves the forget gate g_t between f_t**2 and 1 - (1 - f_t)**2. sigmoid(b.f) starts uniform in (1/H, 1 - 1/H),
    and b.r at -b.f. There the paper's pseudocode has one more parameter, added to f_t's sum and subtracted from r_t's;
    here that is in b.f and b.r, which are trained apart."""

    gates = ("f", "r", "u", "o")
    carries = ("c", "h")

    structure: Structures = Dense()

    def init(self, key: Key, input_size: int) -> Params:
        key, b_key = jax.random.split(key)
        params = super().init(key, input_size)
        if self.bias:
            least = 1 / max(self.hidden_size, 2)
            params["b"]["f"] = logit(jax.random.uniform(b_key, (self.hidden_size,), minval=least, maxval=1 - least))
            params["b"]["r"] = -params["b"]["f"]
        return params

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = recur(state["h"])
        f_t, r_t, o_t = (sigmoid(a[gate]) for gate in "fro")
        g_t = 2 * r_t * f_t + (1 - 2 * r_t) * f_t**2
        c_t = g_t * state["c"] + (1 - g_t) * jnp.tanh(a["u"])
        return {"c": c_t, "h": o_t * jnp.tanh(c_t)}
