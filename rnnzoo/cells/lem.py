"""Long expressive memory, LEM (Rusch et al. 2022). arXiv:2110.04744"""

import math

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Positive, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class LEM(Recurrent):
    """Long expressive memory, LEM::

        p_t = step_size * sigmoid(W_p x_t + b_p + U_p y_tm1)                  Parameters  w.p w.q w.c w.y  (H, I)
        q_t = step_size * sigmoid(W_q x_t + b_q + U_q y_tm1)                              b.p b.q b.c b.y  (H,)
        c_t = (1 - p_t) * c_tm1 + p_t * tanh(W_c x_t + b_c + U_c y_tm1)                   u.p u.q u.c u.y  structure
        y_t = (1 - q_t) * y_tm1 + q_t * tanh(W_y x_t + b_y + U_y c_t)         State       c, y (H,)
                                                                              Output      y

    c_t is the paper's z_t, a name that z_t has taken here. p_t and q_t are steps in time that each unit learns; up to
    step_size = 1 no unit leaves (-1, 1). y_t hears the new c_t, as in the paper and its code. W and b start uniform in
    (-1 / sqrt(H), 1 / sqrt(H)), as in the code."""

    gates = ("p", "q", "c", "y")
    carries = ("c", "y")

    structure: Structures = Dense()
    step_size: Positive = 1.0
    """The longest step in time, the paper's Delta t."""

    def init(self, key: Key, input_size: int) -> Params:
        key, own = jax.random.split(key)
        params = super().init(key, input_size)
        limit = 1 / math.sqrt(self.hidden_size)
        drawn = [name for name in ("w", "b") if name in params and not (name == "w" and self.kernel_init)]
        for name, name_key in zip(drawn, jax.random.split(own), strict=False):
            keys = dict(zip(self.gates, jax.random.split(name_key, len(self.gates)), strict=True))
            params[name] = {
                g: jax.random.uniform(keys[g], a.shape, minval=-limit, maxval=limit) for g, a in params[name].items()
            }
        return params

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        c_tm1, y_tm1 = state["c"], state["y"]
        a = recur({"p": y_tm1, "q": y_tm1, "c": y_tm1})
        p_t, q_t = self.step_size * sigmoid(a["p"]), self.step_size * sigmoid(a["q"])
        c_t = (1 - p_t) * c_tm1 + p_t * jnp.tanh(a["c"])
        return {"c": c_t, "y": (1 - q_t) * y_tm1 + q_t * jnp.tanh(recur({"y": c_t})["y"])}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return state["y"]
