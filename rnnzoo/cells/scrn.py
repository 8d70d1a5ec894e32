"""Structurally constrained recurrent network, SCRN (Mikolov et al. 2014). arXiv:1412.7753"""

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Fraction, Size, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class SCRN(Recurrent):
    """M context units that change slowly, beside H hidden ones::

        s_t = (1 - alpha) * (B x_t) + alpha * s_tm1       Parameters  w.h  (H, I)   u.h  structure
        h_t = sigmoid(W_h x_t + P s_t + U_h h_tm1)                    b_in (M, I), the paper's B
                                                                      p    (H, M)
                                                          State       h (H,), s (M,)
                                                          Output      [h, s]  (H + M,)

    The paper's output layer reads both h and s, and so both are the output. h_t hears s_t, as in the paper and in the
    comments of its authors' code, whose program has s_tm1 there. Input weights start normal with deviation 0.05, as in
    that code. The paper has no biases; ``bias=True`` adds b.h to the hidden units."""

    carries = ("h", "s")
    elementwise = False

    bias: bool = False
    structure: Structures = Dense()
    context: Size = 10
    """Number of context units M."""
    alpha: Fraction = 0.95
    """How much of a context unit remains at each step."""

    @property
    def output_size(self) -> int:
        return self.hidden_size + self.context

    def init(self, key: Key, input_size: int) -> Params:
        key, *keys = jax.random.split(key, 4)
        params = super().init(key, input_size)
        small = jax.nn.initializers.normal(0.05)
        draw = self.kernel_init.kernel if self.kernel_init else small
        return params | {
            "w": {"h": draw(keys[0], (self.hidden_size, input_size))},
            "b_in": draw(keys[1], (self.context, input_size)),
            "p": small(keys[2], (self.hidden_size, self.context)),
        }

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {**super().project(params, x_t), "s": (1 - self.alpha) * (x_t @ params["b_in"].T)}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        s_t = self.alpha * state["s"] + z_t["s"]
        heard = (s_t.astype(params["p"].dtype) @ params["p"].T).astype(s_t.dtype)
        return {"h": sigmoid(recur(state["h"])["h"] + heard), "s": s_t}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return jnp.concatenate([state["h"], state["s"]])

    def initial_state(self, params: Params) -> State:
        h = super().initial_state(params)["h"]
        return {"h": h, "s": jnp.zeros(self.context, h.dtype)}
