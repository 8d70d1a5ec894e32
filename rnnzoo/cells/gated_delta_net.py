"""Gated DeltaNet, GDN (Yang et al. 2025). arXiv:2412.06464"""

import jax
import jax.numpy as jnp
from jax.nn import softplus

from rnnzoo.cells.delta_net import DeltaRule
from rnnzoo.cells.heads import rates, step_biases
from rnnzoo.spec import Size, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree


@spec
class GatedDeltaNet(DeltaRule):
    """A `DeltaNet` whose memory decays first, each head at one rate::

        q_t = unit(silu(W_q x_t)) / sqrt(K)                   Parameters  w.q w.k         (N K, I)
        k_t = unit(silu(W_k x_t))                                         w.v             (H, I)
        v_t = silu(W_v x_t)                                               w.alpha w.beta  (N, I)
        beta_t = sigmoid(W_beta x_t)                                      dt_bias a_log   (N,)
        alpha_t = exp(-exp(a_log) * softplus(W_alpha x_t + dt_bias))
        D_t = alpha_t * S_tm1                                 State       s  (N, K, V) = S
        S_t = D_t + beta_t * k_t (v_t - D_t^T k_t)^T          Output      y  (H,)
        y_t = S_t^T q_t

    unit(a) = a / sqrt(a . a + 1e-6), in each head. The short convolutions before the silu, the norm of each head, the
    gate and the output projection of the paper's layer belong to the block around the cell. dt_bias and a_log start as
    in the authors' code: softplus(dt_bias) between 0.001 and 0.1, exp(a_log) between 0 and 16. Decays are in float32 or
    wider whatever `dtype` is. With ``bias=True``, W x_t + b in place of W x_t."""

    gates = ("q", "k", "v", "alpha", "beta")
    head_gates = ("alpha", "beta")
    wide = ("dt_bias", "a_log")

    key_size: Size | None = None
    """Number of keys K in a head (None: half as many as values, rounded up)."""

    @property
    def usual_keys(self) -> int:
        return -(-self.values // 2)

    def init(self, key: Key, input_size: int) -> Params:
        key, dt_key, a_key = jax.random.split(key, 3)
        own = {"dt_bias": step_biases(dt_key, self.heads), "a_log": rates(a_key, self.heads, 0.0, 16.0)}
        return super().init(key, input_size) | own

    def log_decay(self, params: Params, z_t: PyTree) -> Float[Array, "N J"]:
        return head_decay(params, z_t["alpha"])


def head_decay(params: Params, alpha: Float[Array, " N"]) -> Float[Array, "N 1"]:
    """log alpha_t of each head."""
    return -(jnp.exp(params["a_log"]) * softplus(alpha + params["dt_bias"]))[:, None]
