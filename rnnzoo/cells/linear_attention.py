"""Linear attention, FART (Katharopoulos et al. 2020). arXiv:2006.16236"""

from typing import Literal

import jax.numpy as jnp
from jax.nn import relu

from rnnzoo.cells.heads import HeadMemory
from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.spec import Positive, UsageError, spec
from rnnzoo.typing import Array, Float, Params, PyTree


@spec
class LinearAttention(HeadMemory):
    """N heads of K keys and V = H / N values::

        q_t = phi(W_q x_t)                                    Parameters  w.q w.k  (N K, I)
        k_t = phi(W_k x_t)                                                w.v      (H, I)
        v_t = W_v x_t                                         State       s  (N, K, V + 1) = [S, n]
        S_t = S_tm1 + k_t v_t^T                               Output      y  (H,)
        n_t = n_tm1 + k_t
        y_t = S_t^T q_t / (n_t . q_t + eps)

    phi(a) = elu(a) + 1. n is the last column of s: that of a value which is always 1. Without `normalise`, the
    state is S alone, (N, K, V), and y_t = S_t^T q_t. With ``bias=True``, W x_t + b in place of W x_t."""

    features: Literal["elu", "relu", "identity"] = "elu"
    """phi: elu(a) + 1, max(a, 0), or a."""
    normalise: bool = True
    """Whether y_t is divided by the sum of its weights, which must be positive: not with the identity as phi."""
    eps: Positive = 1e-6
    """Added to the sum of the weights."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.normalise and self.features == "identity":
            raise UsageError(
                "LinearAttention.features is 'identity', whose weights may add up to 0; accepted: 'elu', 'relu', or "
                "normalise=False"
            )

    @property
    def memory_shape(self) -> tuple[int, int, int]:
        return self.heads, self.keys, self.values + self.normalise

    @property
    def output_size(self) -> int:
        return self.hidden_size

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        q_t, k_t, v_t = (self.per_head(z_t[gate]) for gate in "qkv")
        if self.normalise:
            v_t = jnp.concatenate([v_t, jnp.ones_like(v_t[:, :1])], 1)
        return {"q": self._phi(q_t), "k": self._phi(k_t), "v": v_t, "g": jnp.zeros_like(v_t[:, :1])}

    def output(self, params: Params, read: Memory, z_t: PyTree) -> Float[Array, " O"]:
        y = read["y"]
        return (y[:, :-1] / (y[:, -1:] + self.eps) if self.normalise else y).reshape(-1)

    def _phi(self, a: Float[Array, "N K"]) -> Float[Array, "N K"]:
        if self.features == "elu":
            return jnp.where(a > 0, a + 1, jnp.exp(jnp.minimum(a, 0)))  # elu(a) + 1, but never rounded to 0
        return relu(a) if self.features == "relu" else a
