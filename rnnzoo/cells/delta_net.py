"""DeltaNet (Schlag et al. 2021; Yang et al. 2024). arXiv:2102.11174, arXiv:2406.06484"""

import abc

import jax.numpy as jnp
from jax.nn import sigmoid, silu

from rnnzoo.cells.heads import HeadMemory, unit
from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.spec import spec
from rnnzoo.typing import Array, Float, Params, PyTree


@spec
class DeltaRule(HeadMemory):
    """A memory that decays by alpha_t, and in which what a key holds then moves towards a new value by beta_t."""

    gates = ("q", "k", "v", "beta")
    head_gates = ("beta",)

    negative_eigenvalues: bool = False
    """Whether what is erased is twice as much, beta_t up to 2, so that the memory may be reflected (Grazzi et al. 2025,
    arXiv:2411.12537)."""

    @abc.abstractmethod
    def log_decay(self, params: Params, z_t: PyTree) -> Float[Array, "N J"]:
        """log alpha_t, (N, K) or (N, 1)."""

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        q_t, k_t, v_t = (silu(self.per_head(z_t[gate])) for gate in "qkv")
        k_t, log_alpha = unit(k_t), self.log_decay(params, z_t)
        beta_t = (1 + self.negative_eigenvalues) * sigmoid(z_t["beta"])[:, None]
        return {
            "q": unit(q_t) / self.keys**0.5,
            "k": beta_t * k_t,
            "v": v_t,
            "b": jnp.exp(log_alpha) * k_t,
            "g": log_alpha,
        }


@spec
class DeltaNet(DeltaRule):
    """N heads of K keys and V = H / N values; what a key holds moves towards a new value by beta::

        q_t = unit(silu(W_q x_t)) / sqrt(K)                   Parameters  w.q w.k  (N K, I)
        k_t = unit(silu(W_k x_t))                                         w.v      (H, I)
        v_t = silu(W_v x_t)                                               w.beta   (N, I)
        beta_t = sigmoid(W_beta x_t)                          State       s  (N, K, V) = S
        S_t = S_tm1 + beta_t * k_t (v_t - S_tm1^T k_t)^T      Output      y  (H,)
        y_t = S_t^T q_t

    unit(a) = a / sqrt(a . a + 1e-6), in each head, in float32 or wider. The form of 2024. Its short convolutions before
    the silu, the norm of each head and the output projection belong to the block around the cell. With ``bias=True``,
    W x_t + b in place of W x_t."""

    def log_decay(self, params: Params, z_t: PyTree) -> Float[Array, "N J"]:
        return jnp.zeros_like(z_t["beta"])[:, None]
