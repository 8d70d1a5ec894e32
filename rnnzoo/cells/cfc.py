"""Closed-form continuous-time network, CfC (Hasani et al. 2022). arXiv:2106.13898"""

from typing import Literal

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class CfC(Recurrent):
    """With dt the time since the step before, 1 unless ``run(..., dt=...)`` says otherwise::

        a_t = tanh(W_a x_t + b_a + U_a h_tm1)                 Parameters  w.a w.b w.s w.r  (H, I)
        b_t = tanh(W_b x_t + b_b + U_b h_tm1)                             b.a b.b b.s b.r  (H,)
        s_t = W_s x_t + b_s + U_s h_tm1                                   u.a u.b u.s u.r  structure
        r_t = W_r x_t + b_r + U_r h_tm1                       State       h (H,)           Output  h
        m_t = sigmoid(s_t * dt + r_t)
        h_t = (1 - m_t) * a_t + m_t * b_t

    Other modes have another last line: "no-gate" has ``h_t = a_t + m_t * b_t``, and "pure", with one gate alone, the
    solution that the paper derives::

        f_t = W_a x_t + b_a + U_a h_tm1                       Parameters  w.a b.a u.a
        h_t = A - A * exp(-(abs(tau) + abs(f_t)) * dt) * f_t              tau A  (H,), zeros and ones at first

    The authors' code, without backbone layers: there the maps read [x_t, h_tm1] through one more network, which would
    let all units meet whatever U is. s_t is the paper's -f, and r_t the offset that its code adds. At its start, 0,
    abs(tau) has the gradient 0, here as there."""

    uses_dt = True

    structure: Structures = Dense()
    mode: Literal["gated", "no-gate", "pure"] = "gated"
    """How the heads become the state; "gated" is the "default" of the authors' code."""

    @property
    def gates(self) -> tuple[str, ...]:
        return ("a",) if self.mode == "pure" else ("a", "b", "s", "r")

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.mode == "pure":
            params |= {"tau": jnp.zeros(self.hidden_size), "A": jnp.ones(self.hidden_size)}
        return params

    def prepare(self, params: Params) -> Params:
        rates = [name for name in ("tau", "A") if name in params]  # not in half precision, whatever `dtype` is
        wide = {name: params[name].astype(jnp.promote_types(params[name].dtype, jnp.float32)) for name in rates}
        return {**super().prepare(params), **wide}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {**super().project(params, x_t[:-1]), "dt": x_t[-1]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a, dt = recur(state["h"]), z_t["dt"]
        if self.mode == "pure":
            decay = jnp.exp(-(jnp.abs(params["tau"]) + jnp.abs(a["a"])) * dt)
            return {"h": params["A"] - params["A"] * decay * a["a"]}
        a_t, b_t = jnp.tanh(a["a"]), jnp.tanh(a["b"])
        m_t = sigmoid(a["s"] * dt + a["r"])
        return {"h": (a_t if self.mode == "no-gate" else (1 - m_t) * a_t) + m_t * b_t}
