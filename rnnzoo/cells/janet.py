"""Just another network, JANET: an LSTM that only forgets (van der Westhuizen & Lasenby 2018). arXiv:1804.04849"""

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.chrono import Longest, chrono, needs_bias
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Key, Params, PyTree, State


@spec
class JANET(Recurrent):
    """Just another network, JANET: an LSTM that only forgets::

        s_t = W_f x_t + b_f + U_f h_tm1                       Parameters  w.f w.n  (H, I)
        n_t = tanh(W_n x_t + b_n + U_n h_tm1)                             b.f b.n  (H,)
        h_t = sigmoid(s_t) * h_tm1                                        u.f u.n  structure
              + (1 - sigmoid(s_t - beta)) * n_t               State       h (H,)   Output  h

    The paper's c_t is h_t here: the two are equal. b.f starts at 1, or at log(uniform(1, t_max)), the authors' chrono
    initialization, if `t_max` is given, as in their experiments."""

    gates = ("f", "n")

    structure: Structures = Dense()
    beta: float = 1.0
    """How much more is written than forgotten; 0: a leaky average of the candidates."""
    t_max: Longest | None = None
    """Longest time to remember, in steps (None: b.f starts at 1)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_bias(self, "t_max", self.t_max)

    def init(self, key: Key, input_size: int) -> Params:
        key, f_key = jax.random.split(key)
        params = super().init(key, input_size)
        if self.bias:
            params["b"]["f"] += 1 if self.t_max is None else chrono(f_key, self.hidden_size, self.t_max)
        return params

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = recur(state["h"])
        n_t = jnp.tanh(a["n"])
        return {"h": sigmoid(a["f"]) * state["h"] + sigmoid(self.beta - a["f"]) * n_t}
