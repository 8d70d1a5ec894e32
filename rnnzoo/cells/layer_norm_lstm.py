"""LSTM with layer normalisation (Ba, Kiros & Hinton 2016). arXiv:1607.06450"""

from types import MappingProxyType

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.layer_norm import standardized, standardized_together
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Positive, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class LayerNormLSTM(Recurrent):
    """An `LSTM` whose sums are normalised, norm(v) = (v - mean) / sqrt(variance + epsilon)::

        s_t = alpha.h * norm(U h_tm1)                     Parameters  w.i w.f w.g w.o              (H, I)
            + alpha.x * norm(W x_t) + b                               b.i b.f b.g b.o              (H,)
        c_t = sigmoid(s_f) * c_tm1                                    u.i u.f u.g u.o              structure
            + sigmoid(s_i) * tanh(s_g)                                alpha.h.i ... alpha.x.o      (H,)
        n_t = alpha.c * norm(c_t) + beta                              alpha.c beta                 (H,)
        h_t = sigmoid(s_o) * tanh(n_t)                    State       h, c (H,)                    Output  h

    norm(U h_tm1) is that of all four gates' sums together, 4 H numbers with one mean and one variance, and so is
    norm(W x_t): as in the paper and its authors' code. The state c is not normalised, only what is read from it.
    One bias per gate: the paper's biases of the two norms and its b add up. Gains alpha start at 1, biases at 0."""

    gates = ("i", "f", "g", "o")
    gate_names = MappingProxyType({"i": "input", "f": "forget", "g": "candidate", "o": "output"})
    carries = ("c", "h")
    elementwise = False  # the norms
    input_leaves = MappingProxyType({g: f"x_{g}" for g in gates})

    structure: Structures = Dense()
    epsilon: Positive = 1e-5
    """What is added to the variance."""

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        alpha = {part: {g: jnp.ones(self.hidden_size) for g in self.gates} for part in "hx"}
        return params | {"alpha": {**alpha, "c": jnp.ones(self.hidden_size)}, "beta": jnp.zeros(self.hidden_size)}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """All that is added to the normed U h_tm1, as x_i, x_f, x_g and x_o."""
        x = standardized_together({g: x_t @ w.T for g, w in params["w"].items()}, self.epsilon)
        x = {g: params["alpha"]["x"][g] * v + (params["b"][g] if self.bias else 0) for g, v in x.items()}
        return {self.input_leaves[g]: v for g, v in x.items()}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        alpha, a = params["alpha"], standardized_together(recur(state["h"]), self.epsilon)
        s = {g: alpha["h"][g] * a[g] + z_t[x] for g, x in self.input_leaves.items()}
        c_t = sigmoid(s["f"]) * state["c"] + sigmoid(s["i"]) * jnp.tanh(s["g"])
        n_t = alpha["c"] * standardized(c_t, self.epsilon) + params["beta"]
        return {"c": c_t, "h": sigmoid(s["o"]) * jnp.tanh(n_t)}
