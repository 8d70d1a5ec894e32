"""Closed-form continuous-time network, CfC (Hasani et al. 2022). arXiv:2106.13898"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Params, PyTree, State


@spec
class CfC(Recurrent):
    """With dt the time since the step before, 1 unless ``run(..., dt=...)`` says otherwise::

        a_t = tanh(W_a x_t + b_a + U_a h_tm1)                 Parameters  w.a w.b w.s w.r  (H, I)
        b_t = tanh(W_b x_t + b_b + U_b h_tm1)                             b.a b.b b.s b.r  (H,)
        s_t = W_s x_t + b_s + U_s h_tm1                                   u.a u.b u.s u.r  structure
        r_t = W_r x_t + b_r + U_r h_tm1                       State       h (H,)           Output  h
        m_t = sigmoid(s_t * dt + r_t)
        h_t = (1 - m_t) * a_t + m_t * b_t

    The authors' code, in its default mode and without backbone layers: there the four maps read [x_t, h_tm1] through
    one more network, which would let all units meet whatever U is. s_t is the paper's -f, and r_t the offset that its
    code adds."""

    gates = ("a", "b", "s", "r")
    uses_dt = True

    structure: Structures = Dense()

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {**super().project(params, x_t[:-1]), "dt": x_t[-1]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = recur(state["h"])
        a_t, b_t = jnp.tanh(a["a"]), jnp.tanh(a["b"])
        m_t = sigmoid(a["s"] * z_t["dt"] + a["r"])
        return {"h": (1 - m_t) * a_t + m_t * b_t}
