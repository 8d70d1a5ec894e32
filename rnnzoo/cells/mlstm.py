"""LSTM with a matrix memory and exponential gates, mLSTM (Beck et al. 2024). arXiv:2405.04517"""

import jax
import jax.numpy as jnp
from jax.nn import log_sigmoid, sigmoid

from rnnzoo.cells.heads import HeadMemory
from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.spec import NonNegative, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, widen


@spec
class MLSTM(HeadMemory):
    """N heads of K keys and V = H / N values::

        q_t = W_q x_t + b_q                                   Parameters  w.q w.k  (N K, I)
        k_t = (W_k x_t + b_k) / sqrt(K)                                   w.v w.o  (H, I)
        v_t = W_v x_t + b_v                                               w.i w.f  (N, I)
        i_t = W_i x_t + b_i                                               b.q b.k  (N K,)
        f_t = sigmoid(W_f x_t + b_f)                                      b.v b.o  (H,)
        o_t = sigmoid(W_o x_t + b_o)                                      b.i b.f  (N,)
        C_t = f_t * C_tm1 + exp(i_t) * k_t v_t^T              State       s  (N, K, V + 1) = [C, n] * exp(-m)
        n_t = f_t * n_tm1 + exp(i_t) * k_t                                m  (N,)
        m_t = max(log f_t + m_tm1, i_t)                       Output      y  (H,)
        y_t = o_t * C_t^T q_t / (max(abs(n_t . q_t), 1) + eps * exp(m_t))

    C and n are kept times exp(-m), so that they stay finite whatever i_t is; n is the last column of s, that of a
    value which is always 1. `eps` is that of the authors' code, which adds it to the denominator times exp(-m); the
    paper has none. Their later blocks compute the gates from q, k and v, and norm the heads in place of o_t: the
    equations here are the paper's. Where there are biases, W_i and W_f start at 0 and b_f between 3 and 6, evenly
    spaced over the heads, as in that code."""

    gates = ("q", "k", "v", "i", "f", "o")
    value_gates = ("v", "o")
    head_gates = ("i", "f")
    stabilised = True

    bias: bool = True
    eps: NonNegative = 1e-6
    """Added to the stabilised denominator."""

    @property
    def memory_shape(self) -> tuple[int, int, int]:
        return self.heads, self.keys, self.values + 1

    @property
    def output_size(self) -> int:
        return self.hidden_size

    def init(self, key: Key, input_size: int) -> Params:
        key, b_key = jax.random.split(key)
        params = super().init(key, input_size)
        if self.bias:
            params["b"]["f"] = jnp.linspace(3.0, 6.0, self.heads)
            params["b"]["i"] = 0.1 * jax.random.normal(b_key, (self.heads,))
            if self.kernel_init is None:
                params["w"] |= {gate: jnp.zeros_like(params["w"][gate]) for gate in self.head_gates}
        return params

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        q_t, k_t, v_t, i_t, f_t = (self.per_head(z_t[gate]) for gate in "qkvif")
        v_t = jnp.concatenate([v_t, jnp.ones_like(i_t)], 1)
        return {"q": q_t, "k": k_t / self.keys**0.5, "v": v_t, "g": log_sigmoid(f_t), "i": i_t}

    def output(self, params: Params, read: Memory, z_t: PyTree) -> Float[Array, " O"]:
        # All is multiplied by exp(min(m, 0)), so that exp(-m) does not overflow where m is far below 0.
        m = read["m"][:, None]
        scale, least = jnp.exp(jnp.minimum(m, 0)), jnp.exp(-jnp.maximum(m, 0))
        y = scale * read["y"]
        h_t = y[:, :-1] / (jnp.maximum(jnp.abs(y[:, -1:]), least) + self.eps * scale)
        return sigmoid(widen(z_t["o"])) * h_t.reshape(-1)
