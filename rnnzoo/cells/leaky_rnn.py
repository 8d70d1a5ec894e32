"""Leaky integrator network, the leaky echo state network and the CTRNN in Euler steps (Jaeger et al. 2007).

doi:10.1016/j.neunet.2007.04.016, doi:10.1007/978-3-642-35289-8_36
"""

from typing import Literal

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Fraction, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Params, PyTree, State

_ACTIVATIONS = {"tanh": jnp.tanh, "relu": jax.nn.relu, "sigmoid": sigmoid}


@spec
class LeakyRNN(Recurrent):
    """With dt the time since the step before, 1 unless ``run(..., dt=...)`` says otherwise::

        a_t = leak * dt                                       Parameters  w.h (H, I)  b.h (H,)  u.h structure
        n_t = activation(W_h x_t + b_h + U_h h_tm1)           State       h (H,)      Output    h
        h_t = (1 - a_t) * h_tm1 + a_t * n_t

    An Euler step of h' = leak * (activation(W x + b + U h) - h): 1 / leak is the time constant. The form of
    Lukosevicius's practical guide (2012), whose leaking rate is `leak` for dt = 1. An echo state network trains the
    output weights only; `initializers.Reservoir` draws such W and U. Stable only while leak * dt is less than 1."""

    uses_dt = True

    structure: Structures = Dense()
    leak: Fraction = 0.3
    """The leaking rate: how much of the state is replaced in a time of 1."""
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"
    """The function of the hidden units."""

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {**super().project(params, x_t[:-1]), "dt": x_t[-1]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a_t = self.leak * z_t["dt"]
        n_t = _ACTIVATIONS[self.activation](recur(state["h"])["h"])
        return {"h": (1 - a_t) * state["h"] + a_t * n_t}
