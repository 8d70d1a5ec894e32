"""Long short-term memory with a forget gate (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

https://www.bioinf.jku.at/publications/older/2604.pdf, doi:10.1162/089976600300015015
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
from rnnzoo.typing import Key, Params, PyTree, State


@spec
class LSTM(Recurrent):
    """Long short-term memory with a forget gate::

        i_t = sigmoid(W_i x_t + b_i + U_i h_tm1)          Parameters  w.i w.f w.g w.o  (H, I)
        f_t = sigmoid(W_f x_t + b_f + U_f h_tm1)                      b.i b.f b.g b.o  (H,)
        g_t = tanh(W_g x_t + b_g + U_g h_tm1)                         u.i u.f u.g u.o  structure
        o_t = sigmoid(W_o x_t + b_o + U_o h_tm1)          State       h, c (H,)
        c_t = f_t * c_tm1 + i_t * g_t                     Output      h
        h_t = o_t * tanh(c_t)

    One bias per gate (torch has two, which add up); b.f starts at 1 (Jozefowicz et al. 2015), or, if `t_max` is
    given, at log(uniform(1, t_max - 1)), and b.i at -b.f (chrono, Tallec & Ollivier 2018, arXiv:1804.11188)."""

    gates = ("i", "f", "g", "o")
    gate_names = MappingProxyType({"i": "input", "f": "forget", "g": "candidate", "o": "output"})
    carries = ("c", "h")

    structure: Structures = Dense()
    t_max: Chrono | None = None
    """Longest time to remember, in steps (None: b.f starts at 1)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_bias(self, "t_max", self.t_max)

    def init(self, key: Key, input_size: int) -> Params:
        key, keep = key_and_chrono(key, self.hidden_size, self.t_max)
        params = super().init(key, input_size)
        if keep is not None:
            params["b"]["f"] += keep
            params["b"]["i"] -= keep
        elif self.bias:
            params["b"]["f"] += 1
        return params

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = recur(state["h"])
        i_t, f_t, o_t = (sigmoid(a[gate]) for gate in "ifo")
        g_t = jnp.tanh(a["g"])
        c_t = f_t * state["c"] + i_t * g_t
        return {"c": c_t, "h": o_t * jnp.tanh(c_t)}
