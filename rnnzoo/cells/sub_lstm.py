"""Subtractive LSTM, subLSTM: gates that inhibit (Costa et al. 2017). arXiv:1711.02448"""

import jax
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import derived, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class SubLSTM(Recurrent):
    """Subtractive LSTM, subLSTM: gates that inhibit::

        i_t = sigmoid(W_i x_t + b_i + U_i h_tm1)          Parameters  w.i w.f w.z w.o  (H, I)
        f_t = sigmoid(W_f x_t + b_f + U_f h_tm1)                      b.i b.f b.z b.o  (H,)
        n_t = sigmoid(W_z x_t + b_z + U_z h_tm1)                      u.i u.f u.z u.o  structure
        o_t = sigmoid(W_o x_t + b_o + U_o h_tm1)                      f                (H,), for w.f b.f u.f
        c_t = f_t * c_tm1 + n_t - i_t                                                  with `fixed_forget`
        h_t = sigmoid(c_t) - o_t                          State       h, c (H,)        Output  h

    n_t is the paper's z_t. With ``fixed_forget=True`` it is the paper's fix-subLSTM: f_t is f, learned, kept between 0
    and 1 by clipping and uniform between them at first. One bias per gate (the authors' code has two, which add up)."""

    gates = derived(lambda self: ("i", "z", "o") if self.fixed_forget else ("i", "f", "z", "o"))
    carries = ("c", "h")

    structure: Structures = Dense()
    fixed_forget: bool = False
    """Whether f_t is the same at all times."""

    def init(self, key: Key, input_size: int) -> Params:
        if not self.fixed_forget:
            return super().init(key, input_size)
        key, f_key = jax.random.split(key)
        return super().init(key, input_size) | {"f": jax.random.uniform(f_key, (self.hidden_size,))}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = {gate: sigmoid(sum_t) for gate, sum_t in recur(state["h"]).items()}
        f_t = self._fixed(params) if self.fixed_forget else a["f"]
        c_t = f_t * state["c"] + a["z"] - a["i"]
        return {"c": c_t, "h": sigmoid(c_t) - a["o"]}

    def _fixed(self, params: Params) -> Float[Array, " H"]:
        return params["f"].clip(0, 1)
