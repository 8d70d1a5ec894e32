"""LSTM whose gates hear a linear surrogate, GILR-LSTM (Martin & Cundy 2018). arXiv:1709.04057"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class GILRLSTM(Recurrent):
    """LSTM whose gates hear a linear surrogate, GILR-LSTM::

        g_t = sigmoid(W_g x_t + b_g)                          Parameters  w.g w.j w.f w.i w.o w.n  (H, I)
        j_t = tanh(W_j x_t + b_j)                                         b.g b.j b.f b.i b.o b.n  (H,)
        s_t = g_t * s_tm1 + (1 - g_t) * j_t                               u.f u.i u.o u.n          structure
        f_t = sigmoid(W_f x_t + b_f + U_f s_t)                State       s, c (H,)
        i_t = sigmoid(W_i x_t + b_i + U_i s_t)                Output      y
        o_t = sigmoid(W_o x_t + b_o + U_o s_t)
        n_t = tanh(W_n x_t + b_n + U_n s_t)
        c_t = f_t * c_tm1 + i_t * n_t
        y_t = o_t * c_t

    s is a gated impulse linear recurrence (GILR) in place of the LSTM's own output, so that both s and c are linear in
    their pasts. As in the authors' code, where the gates hear s_t rather than s_tm1, n_t is called z, c_t enters the
    output without a tanh, and b.f starts at `forget_bias`."""

    gates = ("g", "j", "f", "i", "o", "n")
    recurrent_gates = ("f", "i", "o", "n")
    carries = ("c", "s")

    structure: Structures = Dense()
    forget_bias: float = 5.0
    """What b.f is at first."""

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            params["b"]["f"] += self.forget_bias
        return params

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        g_t, j_t = sigmoid(z_t["g"]), jnp.tanh(z_t["j"])
        s_t = g_t * state["s"] + (1 - g_t) * j_t
        a = recur(dict.fromkeys("fin", s_t))
        c_t = sigmoid(a["f"]) * state["c"] + sigmoid(a["i"]) * jnp.tanh(a["n"])
        return {"c": c_t, "s": s_t}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        heard = self.structure_of("o").matvec(params["u"]["o"], state["s"].astype(z_t["o"].dtype))
        return sigmoid(z_t["o"] + heard) * state["c"]
