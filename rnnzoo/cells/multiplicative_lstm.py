"""Multiplicative LSTM, mLSTM (Krause et al. 2017). arXiv:1609.07959"""

from types import MappingProxyType

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class MultiplicativeLSTM(Recurrent):
    """An `LSTM` that hears m_t in place of h_tm1, so that the input chooses the transition::

        m_t = (W_m x_t) * (U_m h_tm1)                     Parameters  w.m w.i w.f w.g w.o  (H, I)
        i_t = sigmoid(W_i x_t + b_i + U_i m_t)                        b.i b.f b.g b.o      (H,)
        f_t = sigmoid(W_f x_t + b_f + U_f m_t)                        u.m u.i u.f u.g u.o  structure
        g_t = tanh(W_g x_t + b_g + U_g m_t)               State       h, c (H,)
        o_t = sigmoid(W_o x_t + b_o + U_o m_t)            Output      h
        c_t = f_t * c_tm1 + i_t * g_t
        h_t = o_t * tanh(c_t)

    As in the authors' chainer code, without its weight normalisation. Their older MATLAB code has no tanh around g_t
    and takes h_t = tanh(o_t * c_t). m_t has no bias. b.f starts at 1."""

    gates = ("m", "i", "f", "g", "o")
    carries = ("c", "h")
    input_leaves = MappingProxyType({"m": "x"})

    structure: Structures = Dense()

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            del params["b"]["m"]
            params["b"]["f"] += 1
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """As `Cell.project`, but W_m x_t, which multiplies U_m h_tm1, is called x."""
        z_t = {g: x_t @ w.T for g, w in params["w"].items()}
        x = z_t.pop("m")
        return {**(jax.tree.map(jnp.add, z_t, params["b"]) if self.bias else z_t), "x": x}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        m_t = z_t["x"] * recur({"m": state["h"]})["m"]
        a = recur(dict.fromkeys("ifgo", m_t))
        i_t, f_t, o_t = (sigmoid(a[gate]) for gate in "ifo")
        c_t = f_t * state["c"] + i_t * jnp.tanh(a["g"])
        return {"c": c_t, "h": o_t * jnp.tanh(c_t)}
