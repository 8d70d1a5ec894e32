"""LSTM with a matrix memory and exponential gates, mLSTM (Beck et al. 2024). arXiv:2405.04517"""

from typing import Literal

import jax
import jax.numpy as jnp
from jax.nn import log_sigmoid, sigmoid

from rnnzoo.cells.chrono import needs_bias
from rnnzoo.cells.heads import HeadMemory
from rnnzoo.cells.headwise import draw_blocks, through_blocks
from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.spec import NonNegative, Positive, Size, spec
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
    paper has none. Where there are biases, W_i and W_f start at 0 and b_f between 3 and 6, evenly spaced over the
    heads, as in that code.

    The equations above are the paper's. The layers of its networks (NX-AI/xlstm) differ: with ``gates_read="qkv"``,
    W_i and W_f, (N, 2 N K + H), read q_t, sqrt(K) k_t and v_t in place of x_t; with `input_blocks`, W_q, W_k and W_v
    are block-diagonal; a layer norm of each head, scale (H,), takes the place of o_t, or comes before it as in xLSTM
    7B (Beck et al. 2025, arXiv:2503.13427). That network also caps i_t and f_t before exp and sigmoid at `soft_cap`,
    cap * tanh(a / cap), and its W_o starts at 0, as it does here with the norm and the gate."""

    value_gates = ("v", "o")
    head_gates = ("i", "f")
    stabilised = True

    bias: bool = True
    eps: NonNegative = 1e-6
    """Added to the stabilised denominator."""
    input_blocks: Size = 1
    """Number of diagonal blocks of W_q, W_k and W_v; of more than one, w.q is (blocks, N K / blocks, I / blocks)."""
    gates_read: Literal["x", "qkv"] = "x"
    """What the input gate and the forget gate are made of."""
    outputs: Literal["gate", "norm", "norm and gate"] = "gate"
    """What C_t^T q_t, divided, goes through: o_t, a layer norm of each head, or the norm and then o_t."""
    memory_bias: bool = True
    """Whether q, k, v and o have biases, where i and f have them."""
    norm_eps: Positive = 1e-5
    """Added to the variance in that norm."""
    soft_cap: NonNegative = 0.0
    """Largest absolute value of i_t and f_t before exp and sigmoid; 0: none."""
    input_bias: float | None = None
    """What b_i starts at: -10 in xLSTM 7B (None: near 0, normal with deviation 0.1, as in the first xLSTM)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_bias(self, "input_bias", self.input_bias)

    @property
    def gates(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return ("q", "k", "v", "i", "f", "o") if "gate" in self.outputs else ("q", "k", "v", "i", "f")

    @property
    def memory_shape(self) -> tuple[int, int, int]:
        return self.heads, self.keys, self.values + 1

    @property
    def output_size(self) -> int:
        return self.hidden_size

    def init(self, key: Key, input_size: int) -> Params:
        key, b_key = jax.random.split(key)
        params = super().init(key, input_size)
        if self.bias and not self.memory_bias:
            params["b"] = {gate: b for gate, b in params["b"].items() if gate in self.head_gates}
        if self.input_blocks > 1:
            keys = jax.random.split(jax.random.fold_in(key, 1), 3)
            params["w"] |= {
                g: draw_blocks(self.draw, k, self.rows(g), input_size, self.input_blocks, "MLSTM.input_blocks")
                for g, k in zip("qkv", keys, strict=True)
            }
        if self.gates_read == "qkv":
            size = sum(self.rows(g) for g in "qkv")
            keys = jax.random.split(jax.random.fold_in(key, 2), 2)
            params["w"] |= {g: self.draw(k, (self.heads, size)) for g, k in zip("if", keys, strict=True)}
        if "norm" in self.outputs:
            params["norm"] = {"scale": jnp.ones(self.hidden_size)}
        if self.outputs == "norm and gate" and self.kernel_init is None:
            params["w"]["o"] = jnp.zeros_like(params["w"]["o"])
        if self.bias:
            params["b"] |= self._scalar_biases(b_key)
            if self.kernel_init is None:
                params["w"] |= {gate: jnp.zeros_like(params["w"][gate]) for gate in self.head_gates}
        return params

    def _scalar_biases(self, key: Key) -> Params:
        """Where b_i and b_f start."""
        of_i = 0.1 * jax.random.normal(key, (self.heads,))
        if self.input_bias is not None:
            of_i = jnp.full(self.heads, self.input_bias)
        return {"f": jnp.linspace(3.0, 6.0, self.heads), "i": of_i}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        made = [gate for gate in self.gates if gate not in "if" or self.gates_read == "x"]
        z_t = {gate: through_blocks(params["w"][gate], x_t) for gate in made}
        biases = params.get("b", {})
        return {gate: a + biases[gate] if gate in biases else a for gate, a in z_t.items()}

    def _scalar_gates(self, params: Params, z_t: PyTree) -> list[Float[Array, "N 1"]]:
        """i_t and f_t before exp and sigmoid. From q, k and v as they come out of a convolution, if there is one."""
        found = [z_t.get(gate) for gate in "if"]
        if self.gates_read == "qkv":
            read = jnp.concatenate([z_t[gate] for gate in "qkv"])
            found = [params["w"][gate].astype(read.dtype) @ read for gate in "if"]
            found = [a + params["b"][g] for a, g in zip(found, "if", strict=True)] if self.bias else found
        if self.soft_cap:
            found = [self.soft_cap * jnp.tanh(a / self.soft_cap) for a in found]
        return [self.per_head(a) for a in found]

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        q_t, k_t, v_t = (self.per_head(z_t[gate]) for gate in "qkv")
        i_t, f_t = self._scalar_gates(params, z_t)
        v_t = jnp.concatenate([v_t, jnp.ones_like(i_t)], 1)
        return {"q": q_t, "k": k_t / self.keys**0.5, "v": v_t, "g": log_sigmoid(f_t), "i": i_t}

    def output(self, params: Params, read: Memory, z_t: PyTree) -> Float[Array, " O"]:
        # All is multiplied by exp(min(m, 0)), so that exp(-m) does not overflow where m is far below 0.
        m = read["m"][:, None]
        scale, least = jnp.exp(jnp.minimum(m, 0)), jnp.exp(-jnp.maximum(m, 0))
        y = scale * read["y"]
        h_t = y[:, :-1] / (jnp.maximum(jnp.abs(y[:, -1:]), least) + self.eps * scale)
        if "norm" in self.outputs:
            centred = h_t - h_t.mean(-1, keepdims=True)
            h_t = centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + self.norm_eps)
        h_t = h_t.reshape(-1)
        if "norm" in self.outputs:
            h_t = params["norm"]["scale"] * h_t
        return sigmoid(widen(z_t["o"])) * h_t if "gate" in self.outputs else h_t
