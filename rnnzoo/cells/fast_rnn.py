"""FastRNN, a recurrent network with a weighted residual connection (Kusupati et al. 2018). arXiv:1901.02358"""

from typing import Literal

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State

ACTIVATIONS = {"tanh": jnp.tanh, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}


@spec
class FastRNN(Recurrent):
    """FastRNN, a recurrent network with a weighted residual connection::

        n_t = activation(W_h x_t + b_h + U_h h_tm1)           Parameters  w.h (H, I)  b.h (H,)  u.h structure
        h_t = sigmoid(alpha) * n_t + sigmoid(beta) * h_tm1                alpha, beta ()
                                                              State       h (H,)      Output    h

    alpha starts at -3, beta at 3 and b.h at 1, as in the authors' code. That draws W and U from a normal distribution
    of standard deviation 0.1; here they start as in other cells. A low rank of U is ``structure=LowRank(rank=...)``;
    W has full rank here."""

    structure: Structures = Dense()
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"
    """The function of the candidate n_t."""

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            params["b"]["h"] += 1
        return params | {"alpha": jnp.array(-3.0), "beta": jnp.array(3.0)}

    def prepare(self, params: Params) -> Params:
        rest = {name: value for name, value in params.items() if name not in ("alpha", "beta")}
        return {**super().prepare(rest), "gain": gate(params["alpha"]), "decay": gate(params["beta"])}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        n_t = ACTIVATIONS[self.activation](recur(state["h"])["h"])
        return {"h": params["gain"] * n_t + params["decay"] * state["h"]}


def gate(a: ArrayLike) -> Float[Array, ""]:
    """sigmoid(a), in float32 or wider. (A number that a program holds as a constant may come as a float.)"""
    a = jnp.asarray(a)
    return jax.nn.sigmoid(a.astype(jnp.promote_types(a.dtype, jnp.float32)))
