"""Simple recurrent unit, SRU (Lei et al. 2018). arXiv:1709.02755"""

import functools
import math
from typing import Annotated, Literal

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.base import Recurrent
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Range, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State

_ACTIVATIONS = {"identity": lambda a: a, "tanh": jnp.tanh}


@spec
class SRU(Recurrent):
    """Simple recurrent unit, SRU::

        n_t = W_n x_t                                         Parameters  w.n w.f w.r  (H, I)
        f_t = sigmoid(W_f x_t + b_f + U_f c_tm1)                          b.f b.r      (H,)
        r_t = sigmoid(W_r x_t + b_r + U_r c_tm1)                          u.f u.r      structure
        c_t = f_t * c_tm1 + (1 - f_t) * n_t                               skip         (H, I), if H is not I
        s_t = skip x_t, or scale * x_t where H = I            State       c, h (H,)
        h_t = r_t * activation(c_t) + (1 - r_t) * s_t         Output      h

    With the default structure U is diagonal, as in the paper, whose v it is. It may be 0: c_t is then that of a
    `TRNN`. scale = sqrt(1 + 2 exp(highway_bias)) keeps the variance of deep stacks, and is 1 without `rescale`. All
    starts as in the authors' code: W and skip uniform with variance 1 / I, halved for the gates, skip times scale;
    a diagonal u uniform with variance 1 / 2; b.r at highway_bias. With any other structure U starts as that does.
    Without the code's dropout and its norm of the inputs."""

    gates = ("n", "f", "r")
    recurrent_gates = ("f", "r")
    carries = ("c", "h")

    structure: Structures = Diagonal()
    activation: Literal["identity", "tanh"] = "identity"
    """The function of c_t in the output."""
    skip: bool = True
    """Whether the output has the inputs, too; without it, s_t = 0."""
    highway_bias: Annotated[float, Range(high=0)] = 0.0
    """What b.r is at first; the less, the more of the inputs passes."""
    rescale: bool = True
    """Whether the inputs in the output are scaled up."""

    @property
    def _scale(self) -> float:
        return math.sqrt(1 + 2 * math.exp(self.highway_bias)) if self.rescale else 1.0

    def init(self, key: Key, input_size: int) -> Params:
        key, skip_key, *keys = jax.random.split(key, 7)
        params, shape = super().init(key, input_size), (self.hidden_size, input_size)
        if self.bias:
            params["b"] = {"f": params["b"]["f"], "r": params["b"]["r"] + self.highway_bias}
        if self.kernel_init is None:
            scales = {"n": 1.0, "f": math.sqrt(0.5), "r": math.sqrt(0.5)}
            params["w"] = {g: _uniform(k, shape, s) for k, (g, s) in zip(keys[:3], scales.items(), strict=True)}
        for g, k in zip("fr", keys[3:], strict=True):
            if self.recurrent_init is None and self.structure_of(g).connectivity == "self":
                params["u"][g] = jax.tree.map(functools.partial(_variance_of_half, k), params["u"][g])
        if self.skip and input_size != self.hidden_size:
            params["skip"] = _uniform(skip_key, shape, self._scale)
        return params

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        z_t = {g: x_t @ w.T for g, w in params["w"].items()}
        if self.bias:
            z_t |= {g: z_t[g] + b for g, b in params["b"].items()}
        if not self.skip:
            return z_t
        return z_t | {"s": x_t @ params["skip"].T if "skip" in params else self._scale * x_t}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        a = recur(state["c"])
        f_t, r_t = sigmoid(a["f"]), sigmoid(a["r"])
        c_t = f_t * state["c"] + (1 - f_t) * z_t["n"]
        h_t = r_t * _ACTIVATIONS[self.activation](c_t)
        return {"c": c_t, "h": h_t + (1 - r_t) * z_t["s"] if self.skip else h_t}


def _variance_of_half(key: Key, like: Array) -> Array:
    """Uniform, of the shape of `like`."""
    return math.sqrt(1.5) * jax.random.uniform(key, like.shape, like.dtype, -1.0)


def _uniform(key: Key, shape: tuple[int, int], scale: float) -> Float[Array, "H I"]:
    """Uniform, with variance scale**2 / I."""
    bound = scale * math.sqrt(3 / shape[1])
    return jax.random.uniform(key, shape, minval=-bound, maxval=bound)
