"""Undamped independent controlled oscillatory network, UnICORNN (Rusch & Mishra 2021). arXiv:2103.05487"""

import math

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import NonNegative, Positive, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class UnICORNN(Recurrent):
    """H undamped oscillators, each with its own time::

        s   = step_size * sigmoid(c)                                          Parameters  w.y (H, I)  b.y (H,)
        v_t = v_tm1 - s * (tanh(W_y x_t + b_y + U_y y_tm1) + alpha * y_tm1)               u.y structure, c (H,)
        y_t = y_tm1 + s * v_t                                                 State       v, y (H,)   Output  y

    With the default structure U_y = diag(u.y): that is UnICORNN, and u.y starts uniform in (0, 1); with any other, U
    starts as the structure does. v_t is the paper's z_t, a name that z_t has taken here. Whatever U_y, a step keeps
    the volume of a set of states and can be undone. c starts uniform in (-0.1, 0.1) and W uniform with variance
    2 / (65 I), as in the authors' code, whose choice for permuted MNIST the defaults are. s is computed in float32 or
    wider whatever `dtype` is. The paper's links between layers are left to the model."""

    gates = ("y",)
    carries = ("v", "y")

    structure: Structures = Diagonal()
    step_size: Positive = 0.19
    """The longest step in time, the paper's Delta t."""
    alpha: NonNegative = 30.65
    """The frequency of the oscillators without input and U, squared."""

    def init(self, key: Key, input_size: int) -> Params:
        key, w_key, c_key = jax.random.split(key, 3)
        params = super().init(key, input_size)
        if self.kernel_init is None:
            limit = math.sqrt(6 / (65 * input_size))
            params["w"]["y"] = jax.random.uniform(w_key, (self.hidden_size, input_size), minval=-limit, maxval=limit)
        if self.recurrent_init is None and self.structure_of("y").connectivity == "self":
            params["u"] = jax.tree.map(jnp.abs, params["u"])
        return params | {"c": jax.random.uniform(c_key, (self.hidden_size,), minval=-0.1, maxval=0.1)}

    def prepare(self, params: Params) -> Params:
        c = params["c"].astype(jnp.promote_types(params["c"].dtype, jnp.float32))
        rest = {name: value for name, value in params.items() if name != "c"}
        return {**super().prepare(rest), "s": self.step_size * sigmoid(c)}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        y_tm1, s = state["y"], params["s"]
        v_t = state["v"] - s * (jnp.tanh(recur(y_tm1)["y"]) + self.alpha * y_tm1)
        return {"v": v_t, "y": y_tm1 + s * v_t}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return state["y"]
