"""Kimi delta attention, KDA (Kimi Team 2025). arXiv:2510.26692"""

import jax
import jax.numpy as jnp
from jax.nn import softplus

from rnnzoo.cells.delta_net import DeltaRule
from rnnzoo.cells.heads import low_rank, rates, step_biases
from rnnzoo.spec import Size, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree


@spec
class KDA(DeltaRule):
    """A `GatedDeltaNet` with a decay for each key::

        q_t = unit(silu(W_q x_t)) / sqrt(K)                   Parameters  w.q w.k  (N K, I)
        k_t = unit(silu(W_k x_t))                                         w.v      (H, I)
        v_t = silu(W_v x_t)                                               w.beta   (N, I)
        beta_t = sigmoid(W_beta x_t)                                      down.alpha  (R, I)
        alpha_t = exp(-exp(a_log) * softplus(U L x_t + dt_bias))          up.alpha    (N K, R)
        D_t = alpha_t * S_tm1                                             dt_bias     (N K,)
        S_t = D_t + beta_t * k_t (v_t - D_t^T k_t)^T                      a_log       (N,)
        y_t = S_t^T q_t                                       State       s  (N, K, V) = S
                                                              Output      y  (H,)

    L is down.alpha, U is up.alpha. unit(a) = a / sqrt(a . a + 1e-6), in each head. The short convolutions before the
    silu, the norm of each head, the gate and the output projection of the paper's layer belong to the block around the
    cell. softplus(dt_bias) starts between 0.001 and 0.1, exp(a_log) between 1 and 16. Decays are in float32 or wider
    whatever `dtype` is. With ``bias=True``, W x_t + b in place of W x_t."""

    wide = ("dt_bias", "a_log")

    rank: Size | None = None
    """Rank R of the decay's map (None: as many as a head has values)."""

    def init(self, key: Key, input_size: int) -> Params:
        key, *keys = jax.random.split(key, 5)
        rank, size = self.values if self.rank is None else self.rank, self.heads * self.keys
        return super().init(key, input_size) | {
            "down": {"alpha": self.draw(keys[0], (rank, input_size))},
            "up": {"alpha": self.draw(keys[1], (size, rank))},
            "dt_bias": step_biases(keys[2], size),
            "a_log": rates(keys[3], self.heads, 1.0, 16.0),
        }

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return {**super().project(params, x_t), "alpha": low_rank(params, "alpha", x_t)}

    def log_decay(self, params: Params, z_t: PyTree) -> Float[Array, "N J"]:
        steps = softplus(z_t["alpha"] + params["dt_bias"])
        return -jnp.exp(params["a_log"])[:, None] * self.per_head(steps)
