"""Bistable recurrent cell, BRC (Vecoven, Ernst & Drion 2021). doi:10.1371/journal.pone.0252676, arXiv:2006.05252"""

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class BRC(Recurrent):
    """Bistable recurrent cell, BRC::

        a_t = 1 + tanh(W_a x_t + b_a + U_a h_tm1)             Parameters  w.a w.c w.h  (H, I)
        c_t = sigmoid(W_c x_t + b_c + U_c h_tm1)                          b.a b.c      (H,)
        h_t = c_t * h_tm1 + (1 - c_t) * tanh(W_h x_t + a_t * h_tm1)       u.a u.c      structure
                                                              State       h (H,)       Output  h

    With the default structure U_a and U_c are diagonal, so that no unit hears another: the paper's w_a and w_c. Both
    start at 1, and b.a and b.c, which the paper has not, at 0, as in the authors' code. A unit has two stable states
    where a_t is above 1, and one below. With dense matrices it is `NBRC`."""

    gates = ("a", "c", "h")
    recurrent_gates = ("a", "c")

    structure: Structures = Diagonal()

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            del params["b"]["h"]
        if self.recurrent_init is None:
            alone = [gate for gate, structure in self.structures.items() if structure == Diagonal()]
            params["u"] |= {gate: jnp.ones(self.hidden_size) for gate in alone}
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        z_t = {g: x_t @ w.T for g, w in params["w"].items()}
        return z_t | {g: z_t[g] + b for g, b in params.get("b", {}).items()}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        h_tm1 = state["h"]
        a = recur(h_tm1)
        a_t, c_t = 1 + jnp.tanh(a["a"]), sigmoid(a["c"])
        return {"h": c_t * h_tm1 + (1 - c_t) * jnp.tanh(z_t["h"] + a_t * h_tm1)}
