"""Gated linear attention, GLA (Yang et al. 2024). arXiv:2312.06635"""

import jax
import jax.numpy as jnp
from jax.nn import log_sigmoid

from rnnzoo.cells.heads import HeadMemory, low_rank
from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.spec import Positive, Size, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree


@spec
class GLA(HeadMemory):
    """N heads of K keys and V = H / N values, with a decay for each key::

        q_t = W_q x_t / sqrt(K)                               Parameters  w.q w.k  (N K, I)
        k_t = W_k x_t                                                     w.v      (H, I)
        v_t = W_v x_t                                                     down.g   (R, I)
        alpha_t = sigmoid(U D x_t + c)^(1 / tau)                          up.g     (N K, R)
        S_t = alpha_t * S_tm1 + k_t v_t^T                                 c        (N K,)
        y_t = S_t^T q_t                                       State       s  (N, K, V) = S
                                                              Output      y  (H,)

    D is down.g, U is up.g. The norm of each head, the gate and the output projection of the paper's layer belong to
    the block around the cell. With ``bias=True``, W x_t + b in place of W x_t; c is there in any case, and float32 or
    wider whatever `dtype` is, as the decay is."""

    wide = ("c",)

    key_size: Size | None = None
    """Number of keys K in a head (None: half as many as values, rounded up)."""
    rank: Size = 16
    """Rank R of the gate."""
    temperature: Positive = 16.0
    """tau: the larger, the slower the decay."""

    @property
    def usual_keys(self) -> int:
        return -(-self.values // 2)

    def init(self, key: Key, input_size: int) -> Params:
        key, down, up = jax.random.split(key, 3)
        size = self.heads * self.keys
        return super().init(key, input_size) | {
            "down": {"g": self.draw(down, (self.rank, input_size))},
            "up": {"g": self.draw(up, (size, self.rank))},
            "c": jnp.zeros(size),
        }

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {**super().project(params, x_t), "g": low_rank(params, "g", x_t)}

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        q_t, k_t, v_t = (self.per_head(z_t[gate]) for gate in "qkv")
        log_alpha = log_sigmoid(self.per_head(z_t["g"] + params["c"])) / self.temperature
        return {"q": q_t / self.keys**0.5, "k": k_t, "v": v_t, "g": log_alpha}
