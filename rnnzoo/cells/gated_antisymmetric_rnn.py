"""Antisymmetric network with a gate (Chang et al. 2019). arXiv:1902.09689"""

from types import MappingProxyType

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Positive, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.skew import Skew
from rnnzoo.typing import Array, Float, Params, PyTree, State


@spec
class GatedAntisymmetricRNN(Recurrent):
    """Antisymmetric network with a gate::

        a_t = U_h h_tm1                                           Parameters  w.h w.z  (H, I)
        i_t = sigmoid(W_z x_t + b_z + a_t)                                    b.h b.z  (H,)
        n_t = tanh(W_h x_t + b_h + a_t)                                       u.h      structure
        h_t = h_tm1 + epsilon * i_t * n_t                         State       h (H,)   Output  h

    One U_h for the gate and the candidate, A - A^T - gamma I as in `AntisymmetricRNN`: so the gate does not take the
    stability away. i_t is the paper's z_t, a name that z_t has taken here."""

    gates = ("h", "z")
    recurrent_gates = ("h",)
    input_leaves = MappingProxyType({"h": "x"})

    structure: Structures = Skew(gamma=0.01)
    epsilon: Positive = 0.01
    """The step in time."""

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """As `Cell.project`, but W_h x_t + b_h is called x: two gates share U_h h_tm1, so that it comes alone."""
        z_t = super().project(params, x_t)
        return {"x": z_t["h"], "z": z_t["z"]}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a_t = recur(state["h"])["h"]
        i_t, n_t = sigmoid(z_t["z"] + a_t), jnp.tanh(z_t["x"] + a_t)
        return {"h": state["h"] + self.epsilon * i_t * n_t}
