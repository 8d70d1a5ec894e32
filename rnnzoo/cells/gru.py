"""Gated recurrent unit, reset after U (Cho et al. 2014; the form of cuDNN and torch).

arXiv:1406.1078, https://docs.nvidia.com/deeplearning/cudnn
"""

from types import MappingProxyType

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.chrono import Chrono, key_and_chrono, needs_bias
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class GRU(Recurrent):
    """Gated recurrent unit, with the reset gate after U as in cuDNN and torch::

        r_t = sigmoid(W_r x_t + b_r + U_r h_tm1)              Parameters  w.r w.z w.n  (H, I)
        i_t = sigmoid(W_z x_t + b_z + U_z h_tm1)                          b.r b.z b.n  (H,)
        n_t = tanh(W_n x_t + b_n + r_t * (U_n h_tm1 + c))                 u.r u.z u.n  structure
        h_t = (1 - i_t) * n_t + i_t * h_tm1                               c            (H,), with `bias`
                                                              State       h (H,)       Output  h

    i_t is the paper's z_t, a name that z_t has taken here. The paper resets before U: n_t = tanh(W_n x_t + b_n +
    U_n (r_t * h_tm1)), which is `GRUResetBefore`. The two are the same where U_n is diagonal and c is 0. One bias for
    each of r and z (torch has two, which add up). b.z starts at 0, or, if `t_max` is given, at
    log(uniform(1, t_max - 1)), with which the state is kept (chrono, Tallec & Ollivier 2018, arXiv:1804.11188)."""

    gates = ("r", "z", "n")
    gate_names = MappingProxyType({"r": "reset", "z": "update", "n": "candidate"})
    input_leaves = MappingProxyType({"n": "x"})

    structure: Structures = Dense()
    t_max: Chrono | None = None
    """Longest time to remember, in steps (None: b.z starts at 0)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_bias(self, "t_max", self.t_max)

    def init(self, key: Key, input_size: int) -> Params:
        key, keep = key_and_chrono(key, self.hidden_size, self.t_max)
        params = super().init(key, input_size)
        if keep is not None:
            params["b"]["z"] += keep
        if self.bias:
            params["c"] = jnp.zeros(self.hidden_size)
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """As `Cell.project`, but W_n x_t + b_n is called x: what U_n h_tm1 is added to is c, where there is one."""
        z_t = super().project(params, x_t)
        x = z_t.pop("n")
        return {**z_t, "x": x, "n": params["c"]} if self.bias else {**z_t, "x": x}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = recur(state["h"])
        r_t, i_t = sigmoid(a["r"]), sigmoid(a["z"])
        n_t = jnp.tanh(z_t["x"] + r_t * a["n"])
        return {"h": (1 - i_t) * n_t + i_t * state["h"]}
