"""Recurrent highway network, RHN (Zilly et al. 2017). arXiv:1607.03474"""

from typing import Annotated

import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Range, derived, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State


@spec
class RHN(Recurrent):
    """depth layers within each step. From s = h_tm1, for l = 1, 2, ..., depth::

        n = tanh(W_n1 x_t [l = 1] + b_nl + U_nl s)                Parameters  w.n1 w.t1 w.c1  (H, I)
        t = sigmoid(W_t1 x_t [l = 1] + b_tl + U_tl s)                         b.n1 b.t1 b.c1 b.n2 ...  (H,)
        c = sigmoid(W_c1 x_t [l = 1] + b_cl + U_cl s)                         u.n1 u.t1 u.c1 u.n2 ...  structure
        s = n * t + s * c                                         State       h (H,)          Output  h

    and h_t = s of the last layer. With `coupled`, as in the authors' code, c = 1 - t, and there is no w.c1, b.cl, u.cl.
    n is the paper's h. b.tl starts at transform_bias, and b.cl at its negative, so that s mostly passes through."""

    gates = derived(lambda self: tuple(f"{kind}{layer}" for layer in self._layers for kind in self._kinds))

    structure: Structures = Dense()
    depth: Annotated[int, Range(low=1, high=64)] = 3
    """Number of layers within a step."""
    coupled: bool = True
    """Whether the carry gate c is 1 - t."""
    transform_bias: float = -2.0
    """What the biases of the transform gates t start at."""

    @property
    def _kinds(self) -> tuple[str, ...]:
        return ("n", "t") if self.coupled else ("n", "t", "c")

    @property
    def _layers(self) -> range:
        return range(1, self.depth + 1)

    def init(self, key: Key, input_size: int) -> Params:
        params = super().init(key, input_size)
        params["w"] = {f"{kind}1": params["w"][f"{kind}1"] for kind in self._kinds}
        if self.bias:
            start = {"n": 0.0, "t": self.transform_bias, "c": -self.transform_bias}
            params["b"] = {gate: b + start[gate[0]] for gate, b in params["b"].items()}
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """W x_t + b for the first layer, b for the others."""
        z_t = {g: x_t @ w.T for g, w in params["w"].items()}
        return {g: z_t[g] + b if g in z_t else b for g, b in params["b"].items()} if self.bias else z_t

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        s = state["h"]
        for layer in self._layers:
            a = recur({f"{kind}{layer}": s for kind in self._kinds})
            n, t = jnp.tanh(a[f"n{layer}"]), sigmoid(a[f"t{layer}"])
            c = 1 - t if self.coupled else sigmoid(a[f"c{layer}"])
            s = n * t + s * c
        return {"h": s}
