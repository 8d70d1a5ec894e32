"""GRU with layer normalisation (Ba, Kiros & Hinton 2016). arXiv:1607.06450"""

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
class LayerNormGRU(Recurrent):
    """A `GRU` whose sums are normalised, norm(v) = (v - mean) / sqrt(variance + epsilon)::

        s_t = alpha.h * norm(U h_tm1)                     Parameters  w.r w.z w.n              (H, I)
            + alpha.x * norm(W x_t) + b    for r and z                b.r b.z b.n              (H,)
        r_t = sigmoid(s_r)                                            u.r u.z u.n              structure
        i_t = sigmoid(s_z)                                            alpha.h.r ... alpha.x.n  (H,)
        x_n = alpha.x.n * norm(W_n x_t) + b_n                         c                        (H,), with `bias`
        h_n = alpha.h.n * norm(U_n h_tm1) + c
        n_t = tanh(x_n + r_t * h_n)                       State       h (H,)
        h_t = (1 - i_t) * n_t + i_t * h_tm1               Output      h

    norm(U h_tm1) for r and z is that of both sums together, 2 H numbers with one mean and one variance, and so is
    norm(W x_t): as in the authors' code. Their biases of norms that are added to each other are one b here. Gains alpha
    start at 1, biases at 0."""

    gates = ("r", "z", "n")
    gate_names = MappingProxyType({"r": "reset", "z": "update", "n": "candidate"})
    elementwise = False  # the norms
    input_leaves = MappingProxyType({g: f"x_{g}" for g in gates})

    structure: Structures = Dense()
    epsilon: Positive = 1e-5
    """What is added to the variance."""

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        if self.bias:
            params["c"] = jnp.zeros(self.hidden_size)
        return params | {"alpha": {part: {g: jnp.ones(self.hidden_size) for g in self.gates} for part in "hx"}}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """All that is added to the normed U h_tm1, as x_r, x_z and x_n."""
        x = self._normed(params["alpha"]["x"], {g: x_t @ w.T for g, w in params["w"].items()})
        return {self.input_leaves[g]: v + (params["b"][g] if self.bias else 0) for g, v in x.items()}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = self._normed(params["alpha"]["h"], recur(state["h"]))
        r_t, i_t = sigmoid(a["r"] + z_t["x_r"]), sigmoid(a["z"] + z_t["x_z"])
        h_n = a["n"] + params["c"] if self.bias else a["n"]
        n_t = jnp.tanh(z_t["x_n"] + r_t * h_n)
        return {"h": (1 - i_t) * n_t + i_t * state["h"]}

    def _normed(self, alpha: Params, sums: dict[str, Array]) -> dict[str, Array]:
        normed = standardized_together({g: sums[g] for g in "rz"}, self.epsilon)
        normed["n"] = standardized(sums["n"], self.epsilon)
        return {g: alpha[g] * v for g, v in normed.items()}
