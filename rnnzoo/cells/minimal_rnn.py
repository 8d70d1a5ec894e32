"""MinimalRNN (Chen 2017). arXiv:1711.06788"""

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class MinimalRNN(Recurrent):
    """MinimalRNN: a latent of the input, mixed with the state by one gate::

        n_t = tanh(W_z x_t + b_z)                             Parameters  w.z      (H, I)
        u_t = sigmoid(V n_t + b_u + U_u h_tm1)                            v        (H, H)
        h_t = u_t * h_tm1 + (1 - u_t) * n_t                               b.z b.u  (H,)
                                                                          u.u      structure
                                                              State       h (H,)   Output  h

    n_t is the paper's z_t, and V its U_z. So h_t is an average of the n_s of all s up to t. V has no structure: it
    meets the inputs alone, of all steps at once. V starts orthogonal, as U_u does."""

    gates = ("z",)
    recurrent_gates = ("u",)

    structure: Structures = Dense()

    def init(self, key: Key, input_size: int) -> Params:
        key, v_key = jax.random.split(key)
        params = super().init(key, input_size)
        if self.bias:
            params["b"]["u"] = jnp.zeros(self.hidden_size)
        shape = (self.hidden_size, self.hidden_size)
        v = self.kernel_init.kernel(v_key, shape) if self.kernel_init else jax.random.orthogonal(v_key, shape[0])
        return params | {"v": v}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        a = x_t @ params["w"]["z"].T
        n_t = jnp.tanh(a + params["b"]["z"] if self.bias else a)
        a = n_t @ params["v"].T
        return {"n": n_t, "u": a + params["b"]["u"] if self.bias else a}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        u_t = sigmoid(recur(state["h"])["u"])
        return {"h": u_t * state["h"] + (1 - u_t) * z_t["n"]}
