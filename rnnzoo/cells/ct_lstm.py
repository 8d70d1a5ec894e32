"""Continuous-time LSTM of the neural Hawkes process, CT-LSTM (Mei & Eisner 2017). arXiv:1612.09328"""

import jax.numpy as jnp
from jax.nn import sigmoid, softplus

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Params, PyTree, State


@spec
class CTLSTM(Recurrent):
    """Between two events the cell decays from c to a target e at a rate d. With dt the time since the event before, 1
    unless ``run(..., dt=...)`` says otherwise::

        c = e_tm1 + (c_tm1 - e_tm1) * exp(-d_tm1 * dt)    the cell just before the event
        h = o_tm1 * tanh(c)
        i_t = sigmoid(W_i x_t + b_i + U_i h)              Parameters  w.i w.f w.o w.g w.j w.k w.d  (H, I)
        f_t = sigmoid(W_f x_t + b_f + U_f h)                          b.i b.f b.o b.g b.j b.k b.d  (H,)
        o_t = sigmoid(W_o x_t + b_o + U_o h)                          u.i u.f u.o u.g u.j u.k u.d  structure
        g_t = tanh(W_g x_t + b_g + U_g h)
        j_t = sigmoid(W_j x_t + b_j + U_j h)              State       c, e, d, o (H,)
        k_t = sigmoid(W_k x_t + b_k + U_k h)              Output      y (H,)
        d_t = softplus(W_d x_t + b_d + U_d h)
        c_t = f_t * c + i_t * g_t
        e_t = k_t * e_tm1 + j_t * g_t
        y_t = o_t * tanh(c_t)

    As in the authors' code, which starts from zeros, too: e is its target of the cell, j and k are the target's input
    and forget gate. y_t is h just after the event. At a time s after it, before the next, h is o_t * tanh(c) with s in
    place of dt: from that the process takes its intensities."""

    gates = ("i", "f", "o", "g", "j", "k", "d")
    carries = ("c", "e", "d", "o")
    uses_dt = True

    structure: Structures = Dense()

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {**super().project(params, x_t[:-1]), "dt": x_t[-1]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        dt = z_t["dt"].astype(state["d"].dtype)
        c = state["e"] + (state["c"] - state["e"]) * jnp.exp(-state["d"] * dt)
        a = recur(state["o"] * jnp.tanh(c))
        i_t, f_t, o_t, j_t, k_t = (sigmoid(a[gate]) for gate in "ifojk")
        g_t = jnp.tanh(a["g"])
        return {"c": f_t * c + i_t * g_t, "e": k_t * state["e"] + j_t * g_t, "d": softplus(a["d"]), "o": o_t}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return state["o"] * jnp.tanh(state["c"])
