"""Stackable recurrent cell, STAR (Turkoglu et al. 2022). arXiv:1911.11033"""

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.chrono import Longest, chrono, needs_bias
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class STAR(Recurrent):
    """Stackable recurrent cell, STAR::

        n_t = tanh(W_n x_t + b_n)                             Parameters  w.k w.n  (H, I)
        a_t = W_k x_t + b_k + U_k h_tm1                                   b.k b.n  (H,)
        k_t = sigmoid(a_t)                                                u.k      structure
        h_t = tanh((1 - k_t) * h_tm1 + sigmoid(a_t + beta) * n_t)
                                                              State       h (H,)   Output  h

    n_t is the paper's z_t. With beta = 0, h_t = tanh((1 - k_t) * h_tm1 + k_t * n_t), as in the paper. The authors'
    code is the one with ``beta=1, t_max=784``, in terms of -a_t: more is written than forgotten, as in `JANET`, and
    b.k starts at -log(uniform(1, t_max))."""

    gates = ("k", "n")
    recurrent_gates = ("k",)

    structure: Structures = Dense()
    beta: float = 0.0
    """How much more is written than forgotten."""
    t_max: Longest | None = None
    """Longest time to remember, in steps (None: b.k starts at 0)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_bias(self, "t_max", self.t_max)

    def init(self, key: Key, input_size: int) -> Params:
        key, k_key = jax.random.split(key)
        params = super().init(key, input_size)
        if self.t_max is not None:
            params["b"]["k"] -= chrono(k_key, self.hidden_size, self.t_max)
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        z_t = super().project(params, x_t)
        return z_t | {"n": jnp.tanh(z_t["n"])}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a_t = recur(state["h"])["k"]
        return {"h": jnp.tanh(sigmoid(-a_t) * state["h"] + sigmoid(a_t + self.beta) * z_t["n"])}
