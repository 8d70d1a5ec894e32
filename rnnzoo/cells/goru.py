"""Gated orthogonal recurrent unit, GORU (Jing et al. 2019). arXiv:1706.02761"""

from collections.abc import Mapping
from types import MappingProxyType

import jax
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.modrelu_rnn import modrelu
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure, Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.givens import Givens
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class GORU(Recurrent):
    """Gated orthogonal recurrent unit, GORU::

        r_t = sigmoid(W_r x_t + b_r + U_r h_tm1)              Parameters  w.r w.g w.n  (H, I)
        g_t = sigmoid(W_g x_t + b_g + U_g h_tm1)                          b.r b.g b.n  (H,)
        a_t = W_n x_t + r_t * (U_n h_tm1)                                 u.r u.g      `structure`
        n_t = sign(a_t) * relu(abs(a_t) + b_n)                            u.n          `orthogonal`
        h_t = g_t * h_tm1 + (1 - g_t) * n_t                   State       h (H,)       Output  h

    The authors' code, without the 0.001 that it adds to abs(a_t). There U_n is a product of rotations of pairs, of
    which `Givens` is the tunable style, save that its pairs wrap around. As in the code, W starts uniform in
    (-0.01, 0.01), b.r at 2 and b.n at 0.01; b.g, for which it has no rule, starts at 0. `recurrent_init` draws all
    three matrices."""

    gates = ("r", "g", "n")
    recurrent_gates = ("r", "g")  # those of `structure`
    input_leaves = MappingProxyType({"n": "x"})

    structure: Structures = Dense()
    orthogonal: Structure = Givens()
    """The structure of U_n; one whose matrices are orthogonal, for the norm to be kept."""

    @property
    def structures(self) -> Mapping[str, Structure]:
        return {**super().structures, "n": self.orthogonal}

    def init(self, key: Key, input_size: int) -> Params:
        key, w_key = jax.random.split(key)
        params = super().init(key, input_size)
        if self.kernel_init is None:
            keys = jax.random.split(w_key, len(self.gates))
            shape = (self.hidden_size, input_size)
            params["w"] = {
                g: jax.random.uniform(k, shape, minval=-0.01, maxval=0.01)
                for g, k in zip(self.gates, keys, strict=True)
            }
        if self.bias:
            params["b"]["r"] += 2
            params["b"]["n"] += 0.01
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """W x_t + b of both gates, and W_n x_t under the name x: r_t is between it and U_n h_tm1."""
        z_t = {g: x_t @ w.T for g, w in params["w"].items()}
        x = z_t.pop("n")
        return {**{g: z + params["b"][g] if self.bias else z for g, z in z_t.items()}, "x": x}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = recur(state["h"])
        r_t, g_t = sigmoid(a["r"]), sigmoid(a["g"])
        a_t = z_t["x"] + r_t * a["n"]
        n_t = modrelu(a_t, params["b"]["n"]) if self.bias else a_t
        return {"h": g_t * state["h"] + (1 - g_t) * n_t}
