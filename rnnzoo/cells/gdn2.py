"""Gated DeltaNet-2, GDN-2 (Hatamizadeh et al. 2026). arXiv:2605.22791"""

import jax.numpy as jnp
from jax.nn import sigmoid, silu

from rnnzoo.cells.heads import unit
from rnnzoo.cells.kda import KDA
from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.spec import spec
from rnnzoo.typing import Params, PyTree


@spec
class GDN2(KDA):
    """A `KDA` with a gate for each key in what it erases, and for each value in what it writes::

        q_t = unit(silu(W_q x_t)) / sqrt(K)                   Parameters  w.q w.k w.erase  (N K, I)
        k_t = unit(silu(W_k x_t))                                         w.v w.write      (H, I)
        v_t = silu(W_v x_t)                                               down.alpha       (R, I)
        e_t = sigmoid(W_erase x_t)                                        up.alpha         (N K, R)
        w_t = sigmoid(W_write x_t)                                        dt_bias          (N K,)
        alpha_t = exp(-exp(a_log) * softplus(U L x_t + dt_bias))          a_log            (N,)
        D_t = alpha_t * S_tm1                                 State       s  (N, K, V) = S
        S_t = D_t + k_t (w_t * v_t - D_t^T (e_t * k_t))^T     Output      y  (H,)
        y_t = S_t^T q_t

    L is down.alpha, U is up.alpha. e_t is the paper's b_t. unit(a) = a / sqrt(a . a + 1e-6), in each head. The short
    convolutions before the silu, the norm of each head, the gate and the output projection of the paper's layer belong
    to the block around the cell. Parameters start as in the authors' code: weights Glorot uniform times 2^-2.5,
    softplus(dt_bias) between 0.001 and 0.1, exp(a_log) between 1 and 16. Decays are in float32 or wider whatever
    `dtype` is. With ``bias=True``, W x_t + b in place of W x_t."""

    gates = ("q", "k", "v", "erase", "write")
    value_gates = ("v", "write")
    gain = 2**-2.5

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        q_t, k_t, v_t = (silu(self.per_head(z_t[gate])) for gate in "qkv")
        e_t, w_t = (sigmoid(self.per_head(z_t[gate])) for gate in ("erase", "write"))
        k_t, e_t = unit(k_t), (1 + self.negative_eigenvalues) * e_t
        log_alpha = self.log_decay(params, z_t)
        return {
            "q": unit(q_t) / self.keys**0.5,
            "k": k_t,
            "v": w_t * v_t,
            "b": jnp.exp(log_alpha) * e_t * k_t,
            "g": log_alpha,
        }
