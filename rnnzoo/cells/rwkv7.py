"""Goose, RWKV-7 (Peng et al. 2025). arXiv:2503.14456"""

import math
from typing import Literal

import jax
import jax.numpy as jnp
from jax.nn import sigmoid

from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.cells.rwkv6 import TimeMixing
from rnnzoo.spec import Size, UsageError, derived, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, widen


@spec
class RWKV7(TimeMixing):
    """Time mixing, with N heads of K keys and V = H / N values. For each j of r, w, k, v, a and g::

        x_j = x_t + mix.j * (x_tm1 - x_t)                     Parameters  w.r w.k       (N K, I)
        r_t = W_r x_r                                                     w.v           (H, I)
        p_t = W_k x_k                                                     mix.j         (I,)
        v_t = W_v x_v                                                     down.w/a/g    (R, I)
        a_t = sigmoid(base.a + U_a L_a x_a)                               up.w up.a     (N K, R)
        g_t = U_g sigmoid(L_g x_g)                                        up.g          (H, R)
        w_t = exp(-exp(-1/2) sigmoid(base.w + U_w tanh(L_w x_w)))         base.w base.a (N K,)
        e_t = normalised(k_k * p_t)                                       k_k k_a       (N K,)
        k_t = p_t * (1 + (a_t - 1) * k_a)                                 r_k           (N, K)
        S_t = w_t * S_tm1 - (a_t * e_t) (S_tm1^T e_t)^T + k_t v_t^T       norm.scale norm.shift  (H,)
        y_t = g_t * (norm(S_t^T r_t) + (r_t . (r_k * k_t)) v_t)
                                                              State       s  (N, K, V) = S,  x  (1, I) = x_tm1
                                                              Output      y  (H,)

    L is down, U is up; each of their three ranks R is a field. e_t, the paper's kappa, has norm 1 in each head. The
    norm is that of each head: (y - mean) / sqrt(variance + norm_eps) * norm.scale + norm.shift. In a network the value
    of the first layer, v1_t, goes to all others, which have ``value="mixed"``::

        v_t = W_v x_v + sigmoid(base.v + U_v L_v x_v) * (v1_t - W_v x_v)  down.v (R, I)  up.v (H, R)  base.v (H,)

    Inputs are then [x_t, v1_t], of which x_t alone is mixed with the one before; the first layer has ``value="first"``
    and outputs [y_t, v_t]. The output projection is left to the block around the cell. As in the authors' code (version
    x070), with its initial values of a layer at `depth`. With ``bias=True``, W x + b in place of W x in r_t, p_t and
    v_t. The decay is computed in float32 or wider whatever `dtype` is."""

    gates = ("r", "k", "v")
    mixed = ("r", "w", "k", "v", "a", "g")
    wide = ("base", "k_k", "k_a", "r_k", "norm")

    decay_rank: Size | None = None
    """Rank of the map that makes w_t (None: 2.5 sqrt(H) to the nearest multiple of 32, at least 32)."""
    rate_rank: Size | None = None
    """Rank of the map that makes a_t (None: as `decay_rank`)."""
    gate_rank: Size | None = None
    """Rank of the map that makes g_t (None: 5 sqrt(H) to the nearest multiple of 32, at least 32)."""
    value: Literal["own", "first", "mixed"] = "own"
    """Whether the value is given to later layers ("first"), or mixed with that of the first one ("mixed")."""
    value_rank: Size | None = None
    """Rank of the map that mixes v_t (None: 1.7 sqrt(H) to the nearest multiple of 32, at least 32)."""

    gives = derived(lambda self: self.hidden_size if self.value == "first" else 0)
    takes = derived(lambda self: self.hidden_size if self.value == "mixed" else 0)
    output_size = derived(lambda self: self.hidden_size + self.gives)

    def rank(self, name: str) -> int:
        """The rank of the maps of w, a, v or g."""
        given = {"w": self.decay_rank, "a": self.rate_rank, "v": self.value_rank, "g": self.gate_rank}[name]
        usual = round({"g": 5.0, "v": 1.7}.get(name, 2.5) * math.sqrt(self.hidden_size) / 32) * 32
        return given or max(32, usual)

    def init(self, key: Key, input_size: int) -> Params:
        if input_size <= self.takes:
            raise UsageError(
                f"input_size is {input_size} and RWKV7.value 'mixed'; accepted: more than {self.takes}, the size "
                "of the first layer's value, which comes last"
            )
        input_size -= self.takes
        key, w_key, up_key = jax.random.split(key, 3)
        params = super().init(key, input_size)
        if self.kernel_init is None:
            keys = zip("rkv", jax.random.split(w_key, 3), strict=True)
            params["w"] = {j: _uniform(k, params["w"][j].shape, 0.05 if j == "k" else 0.5) for j, k in keys}
        return params | self._adapters(up_key, input_size) | self._vectors(input_size)

    def _adapters(self, key: Key, input_size: int) -> Params:
        sizes = {"w": self.heads * self.keys, "a": self.heads * self.keys, "g": self.hidden_size}
        if self.takes:
            sizes["v"] = self.hidden_size
        keys = zip(sizes, jax.random.split(key, len(sizes)), strict=True)
        return {
            "down": {j: jnp.zeros((self.rank(j), input_size)) for j in sizes},
            "up": {j: _orthogonal(k, (sizes[j], self.rank(j))) for j, k in keys},
        }

    def _vectors(self, input_size: int) -> Params:
        size, ramp = self.heads * self.keys, jnp.arange(input_size) / input_size
        place = jnp.arange(size) / max(size - 1, 1)
        middle = max(self.keys - 1, 1) / 2
        zigzag = (jnp.arange(size) % self.keys - (self.keys - 1) / 2) / middle
        zigzag, linear = zigzag * jnp.abs(zigzag), place - 0.5
        powers = {"r": 0.2, "w": 0.9, "k": 0.7, "v": 0.7, "a": 0.9, "g": 0.2}
        return {
            "mix": {j: 1 - ramp ** (power * self.fading) for j, power in powers.items()},
            "base": {
                "w": -6 + 6 * place ** (1 + self.depth**0.3) + 0.5 + 2.5 * zigzag,
                "a": -0.19 + 0.3 * zigzag + 0.4 * linear,
                **({"v": 0.73 - 0.4 * jnp.linspace(-0.5, 0.5, self.hidden_size)} if self.takes else {}),
            },
            "k_k": 0.71 - 0.1 * linear,
            "k_a": jnp.full(size, 1.02),
            "r_k": jnp.full((self.heads, self.keys), -0.04),
            "norm": self.norm(),
        }

    def project(self, params: Params, x_t: Float[Array, "2 I"]) -> PyTree:
        x_t, v1_t = jnp.split(x_t, [params["w"]["r"].shape[1]], -1)
        x_tm1, x_t = x_t
        x = {j: x_t + params["mix"][j] * (x_tm1 - x_t) for j in self.mixed}
        z_t = {gate: x[gate] @ params["w"][gate].T for gate in self.gates}
        if self.bias:
            z_t = jax.tree.map(jnp.add, z_t, params["b"])
        inner = {j: x[j] @ down.T for j, down in params["down"].items()}
        inner |= {"w": jnp.tanh(inner["w"]), "g": sigmoid(inner["g"])}
        outer = {j: inner[j] @ up.T for j, up in params["up"].items()}
        if self.takes:
            z_t["v"] = z_t["v"] + sigmoid(params["base"]["v"] + outer.pop("v")) * (v1_t[1] - z_t["v"])
        return {**z_t, **outer}

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        r_t, p_t, v_t = (self.per_head(z_t[gate]) for gate in self.gates)
        g = -math.exp(-0.5) * self.per_head(sigmoid(params["base"]["w"] + z_t["w"]))
        a_t = self.per_head(sigmoid(params["base"]["a"] + z_t["a"]))
        e_t = _normalised(self.per_head(params["k_k"]) * p_t)
        k_t = p_t * (1 + (a_t - 1) * self.per_head(params["k_a"]))
        return {"q": r_t, "k": k_t, "v": v_t, "g": g, "a": -a_t * e_t, "b": e_t}

    def output(self, params: Params, read: Memory, z_t: PyTree) -> Float[Array, " O"]:
        z_t = widen(z_t)
        m = self.memory(params, z_t)
        now = (m["q"] * params["r_k"] * m["k"]).sum(-1, keepdims=True) * m["v"]
        y_t = z_t["g"] * (self.normed(params, read["y"]) + now.reshape(-1))
        return jnp.concatenate([y_t, z_t["v"]]) if self.gives else y_t


def _normalised(x: Float[Array, "N K"]) -> Float[Array, "N K"]:
    """x / max(norm, 1e-12), as torch has it, with a gradient at 0."""
    return x * jax.lax.rsqrt(jnp.maximum((x * x).sum(-1, keepdims=True), 1e-24))


def _uniform(key: Key, shape: tuple[int, int], scale: float) -> Float[Array, "M I"]:
    bound = scale / math.sqrt(shape[1])
    return jax.random.uniform(key, shape, minval=-bound, maxval=bound)


def _orthogonal(key: Key, shape: tuple[int, int]) -> Float[Array, "M R"]:
    """Orthogonal rows or columns, times 0.1, and more where the rank exceeds the size."""
    return jax.nn.initializers.orthogonal(0.1 * max(1.0, math.sqrt(shape[1] / shape[0])))(key, shape)
