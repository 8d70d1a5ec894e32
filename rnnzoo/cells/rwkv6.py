"""Finch, RWKV-6 (Peng et al. 2024). arXiv:2404.05892"""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.nn import silu

from rnnzoo.cells.heads import HeadMemory
from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.spec import Fraction, Positive, Size, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, widen


def fading(depth: float, layers: int) -> float:
    """1 in the first of so many layers, falling evenly to 1 / layers in the last, where `depth` is 1."""
    return 1 - depth * (layers - 1) / layers


@spec
class TimeMixing(HeadMemory):
    """What RWKV-6 and RWKV-7 share: an input is mixed with the one before it, the heads are normalised, and initial
    values depend on the place in a network. A `Model` says what it is, unless `depth` or `layers` are set."""

    history = 1
    mixed: ClassVar[tuple[str, ...]]  # names of the mixtures of x_t and x_tm1

    norm_eps: Positive = 64e-5
    """Added to the variance of a head."""
    depth: Fraction = 0.0
    """Where in a network this layer is, from 0 (first) to 1 (last), for its initial values."""
    layers: Size = 1
    """Number of layers of that network."""

    def at_depth(self, depth: float, layers: int) -> "TimeMixing":
        return self if self.depth or self.layers > 1 else dataclasses.replace(self, depth=depth, layers=layers)

    @property
    def fading(self) -> float:
        """From 1 in the first layer to 1 / layers in the last."""
        return fading(self.depth, self.layers)

    def initial_state(self, params: Params) -> State:
        state = super().initial_state(params)
        return {**state, "x": jnp.zeros((1, params["w"]["r"].shape[1] + self.takes), state["s"].dtype)}

    def normed(self, params: Params, y: Float[Array, "N V"]) -> Float[Array, " H"]:
        """Each head with mean 0 and variance 1, times norm.scale, plus norm.shift."""
        centred = y - y.mean(-1, keepdims=True)
        y = centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + self.norm_eps)
        return params["norm"]["scale"] * y.reshape(-1) + params["norm"]["shift"]

    def norm(self) -> Params:
        scale = (1 + 1 / self.layers - self.fading) ** 0.7  # from 1 / layers in the first layer to 1 in the last
        return {"scale": jnp.full(self.hidden_size, scale), "shift": jnp.zeros(self.hidden_size)}


@spec
class RWKV6(TimeMixing):
    """Time mixing, with N heads of K keys and V = H / N values. For each j of r, w, k, v and g::

        c_t = x_t + mix.x * (x_tm1 - x_t)                     Parameters  w.r w.k     (N K, I)
        x_j = x_t + (mix.j + U_j tanh(L_j c_t)) * (x_tm1 - x_t)           w.v w.g     (H, I)
        r_t = W_r x_r                                                     mix.j mix.x (I,)
        k_t = W_k x_k                                                     down.j      (R, I)
        v_t = W_v x_v                                                     up.j        (I, R)
        g_t = silu(W_g x_g)                                               down.decay  (M, I)
        w_t = exp(-exp(base + U_decay tanh(L_decay x_w)))                 up.decay    (N K, M)
        S_t = w_t * S_tm1 + k_t v_t^T                                     base        (N K,)
        y_t = g_t * norm(r_t^T (S_tm1 + bonus * k_t v_t^T))               bonus       (N, K)
                                                                          norm.scale norm.shift (H,)
                                                              State       s  (N, K, V) = S,  y  (N, V)
                                                                          x  (1, I) = x_tm1
                                                              Output      y  (H,)

    L is down, U is up. The norm is that of each head: (y - mean) / sqrt(variance + norm_eps) * norm.scale + norm.shift.
    y in the state is what was read. Only the output projection of the paper's time mixing is left to the block around
    the cell. As in the authors' code (version x060), with its initial values of a layer at `depth`. With ``bias=True``,
    W x + b in place of W x in r_t, k_t, v_t and g_t. The decay is computed in float32 or wider whatever `dtype` is."""

    gates = ("r", "k", "v", "g")
    value_gates = ("v", "g")
    mixed = ("w", "k", "v", "r", "g")
    wide = ("base", "bonus", "norm")
    reads_first = True

    mix_rank: Size = 32
    """Rank R of the maps that mix x_t and x_tm1."""
    decay_rank: Size = 64
    """Rank M of the map that makes the decay."""

    def init(self, key: Key, input_size: int) -> Params:
        key, mix_key, decay_key = jax.random.split(key, 3)
        size, ramp = self.heads * self.keys, jnp.arange(input_size) / input_size
        place = jnp.arange(size) / max(size - 1, 1)
        powers = {**dict.fromkeys((*self.mixed, "x"), 1.0), "r": 0.5, "g": 0.5}
        mix = {j: 1 - ramp ** (power * self.fading) for j, power in powers.items()}
        keys = zip(self.mixed, jax.random.split(mix_key, len(self.mixed)), strict=True)
        up = {j: _small(k, (input_size, self.mix_rank)) for j, k in keys}
        down = {j: jnp.zeros((self.mix_rank, input_size)) for j in self.mixed}
        return super().init(key, input_size) | {
            "mix": {**mix, "v": mix["v"] - 0.3 * self.depth},
            "down": down | {"decay": jnp.zeros((self.decay_rank, input_size))},
            "up": up | {"decay": _small(decay_key, (size, self.decay_rank))},
            "base": -6 + 5 * place ** (0.7 + 1.3 * self.depth),
            "bonus": self.per_head(self.depth * (1 - place) + 0.1 * ((jnp.arange(size) + 1) % 3 - 1)),
            "norm": self.norm(),
        }

    def project(self, params: Params, x_t: Float[Array, "2 I"]) -> PyTree:
        x_tm1, x_t = x_t
        back = x_tm1 - x_t
        c_t = x_t + params["mix"]["x"] * back
        x = {j: x_t + (params["mix"][j] + self._adapted(params, j, c_t)) * back for j in self.mixed}
        z_t = {gate: x[gate] @ params["w"][gate].T for gate in self.gates}
        if self.bias:
            z_t = jax.tree.map(jnp.add, z_t, params["b"])
        return {**z_t, "decay": self._adapted(params, "decay", x["w"])}

    def _adapted(self, params: Params, name: str, x: Float[Array, " I"]) -> Float[Array, " M"]:
        return jnp.tanh(x @ params["down"][name].T) @ params["up"][name].T

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        r_t, k_t, v_t, decay = (self.per_head(z_t[name]) for name in ("r", "k", "v", "decay"))
        g = -jnp.exp(self.per_head(params["base"]) + decay)
        return {"q": r_t, "k": k_t, "v": v_t, "g": g, "u": params["bonus"]}

    def output(self, params: Params, read: Memory, z_t: PyTree) -> Float[Array, " O"]:
        return silu(widen(z_t["g"])) * self.normed(params, read["y"])


def _small(key: Key, shape: tuple[int, int]) -> Float[Array, "M N"]:
    return jax.random.uniform(key, shape, minval=-0.01, maxval=0.01)
