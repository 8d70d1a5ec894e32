"""Cell found by neural architecture search, NASCell (Zoph & Le 2017). arXiv:1611.01578"""

from types import MappingProxyType

import jax.numpy as jnp
from jax.nn import relu, sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Params, PyTree, State


@spec
class NASCell(Recurrent):
    """With s_k = W_k x_t + b_k + U_k h_tm1 for k = a0, ..., a7, but s_a3 = (W_a3 x_t) * (U_a3 h_tm1 + b_a3)::

        l_t = tanh(sigmoid(s_a0) * relu(s_a1))            Parameters  w.a0 ... w.a7  (H, I)
        m_t = tanh(sigmoid(s_a2) + relu(s_a3))                        b.a0 ... b.a7  (H,)
        p_t = tanh(tanh(s_a4) * sigmoid(s_a5))                        u.a0 ... u.a7  structure
        q_t = sigmoid(tanh(s_a6) + sigmoid(s_a7))         State       h, c (H,)
        c_t = tanh(l_t + c_tm1) * m_t                     Output      h
        h_t = tanh(c_t * tanh(p_t + q_t))

    The paper shows the cell as a tree; the equations are those of TensorFlow's NASCell, where it has no biases by
    default either, and without its projection of the output."""

    gates = ("a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7")
    carries = ("c", "h")
    input_leaves = MappingProxyType({"a3": "x"})

    structure: Structures = Dense()
    bias: bool = False

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """As `Cell.project`, but W_a3 x_t is called x: what U_a3 h_tm1 is added to is b_a3, if there is one."""
        z_t = {g: x_t @ w.T for g, w in params["w"].items()}
        x = z_t.pop("a3")
        if self.bias:
            z_t = {g: z_t[g] + b if g in z_t else b for g, b in params["b"].items()}
        return {**z_t, "x": x}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        s = recur(state["h"])
        l_t = jnp.tanh(sigmoid(s["a0"]) * relu(s["a1"]))
        m_t = jnp.tanh(sigmoid(s["a2"]) + relu(z_t["x"] * s["a3"]))
        p_t = jnp.tanh(jnp.tanh(s["a4"]) * sigmoid(s["a5"]))
        q_t = sigmoid(jnp.tanh(s["a6"]) + sigmoid(s["a7"]))
        c_t = jnp.tanh(l_t + state["c"]) * m_t
        return {"c": c_t, "h": jnp.tanh(c_t * jnp.tanh(p_t + q_t))}
