"""Intersection recurrent network, +RNN (Collins, Sohl-Dickstein & Sussillo 2017). arXiv:1611.09913"""

import jax
import jax.numpy as jnp
from jax.nn import relu, sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class IntersectionRNN(Recurrent):
    """Gated through time, h, and through depth, y::

        r_t = P x_t + b_p where I is not H, else x_t
        y'_t = relu(W_y r_t + b_y + U_y h_tm1)                Parameters  w.y w.h w.gy w.gh  (H, H)
        h'_t = tanh(W_h r_t + b_h + U_h h_tm1)                            b.y b.h b.gy b.gh  (H,)
        gy_t = sigmoid(W_gy r_t + b_gy + U_gy h_tm1)                      u.y u.h u.gy u.gh  structure
        gh_t = sigmoid(W_gh r_t + b_gh + U_gh h_tm1)                      p (H, I), b.p (H,) where I is not H
        y_t = gy_t * r_t + (1 - gy_t) * y'_t                  State       h, y (H,)
        h_t = gh_t * h_tm1 + (1 - gh_t) * h'_t                Output      y

    Made for stacks of layers: where widths are equal, the input is one with the output of the layer below. Where they
    differ, a learned map of x_t stands for x_t. That, and that b.gy and b.gh start at 1, is from TensorFlow's
    IntersectionRNNCell. y_tm1 is not used: y is part of the state because it depends on h_tm1."""

    gates = ("y", "h", "gy", "gh")
    carries = ("h", "y")

    structure: Structures = Dense()

    def init(self, key: Key, input_size: int) -> Params:
        key, p_key = jax.random.split(key)
        params = super().init(key, self.hidden_size)
        if self.bias:
            params["b"] |= {g: jnp.ones(self.hidden_size) for g in ("gy", "gh")}
        if input_size == self.hidden_size:
            return params
        draw = self.kernel_init.kernel if self.kernel_init else jax.nn.initializers.glorot_uniform(0, 1)
        if self.bias:
            params["b"]["p"] = jnp.zeros(self.hidden_size)
        return params | {"p": draw(p_key, (self.hidden_size, input_size))}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        b = params["b"] if self.bias else dict.fromkeys([*self.gates, "p"], 0)
        r_t = x_t @ params["p"].T + b["p"] if "p" in params else x_t
        return {g: r_t @ params["w"][g].T + b[g] for g in self.gates} | {"r": r_t}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a, h_tm1 = recur(state["h"]), state["h"]
        gy_t, gh_t = sigmoid(a["gy"]), sigmoid(a["gh"])
        y_t = gy_t * z_t["r"] + (1 - gy_t) * relu(a["y"])
        return {"h": gh_t * h_tm1 + (1 - gh_t) * jnp.tanh(a["h"]), "y": y_t}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return state["y"]
