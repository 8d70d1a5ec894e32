"""DeltaProduct (Siems et al. 2025). arXiv:2502.10297"""

from typing import Annotated

import jax
import jax.numpy as jnp
from jax.nn import sigmoid, silu

from rnnzoo.cells.gated_delta_net import head_decay
from rnnzoo.cells.heads import HeadMemory, rates, step_biases, unit
from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.spec import Range, spec
from rnnzoo.typing import Key, Params, PyTree


@spec
class DeltaProduct(HeadMemory):
    """A `DeltaNet` with n writes in each step, one after the other, j = 1 .. n::

        q_t = unit(silu(W_q x_t)) / sqrt(K)                   Parameters  w.q     (N K, I)
        k_j = unit(silu(W_kj x_t))                                        w.k     (n N K, I)
        v_j = silu(W_vj x_t)                                              w.v     (n H, I)
        beta_j = 2 sigmoid(W_betaj x_t)                                   w.beta  (n N, I)
        D_0 = S_tm1                                           State       s  (N, K, V) = S
        D_j = D_jm1 + beta_j * k_j (v_j - D_jm1^T k_j)^T      Output      y  (H,)
        S_t = D_n
        y_t = S_t^T q_t

    The rows of w.k, w.v and w.beta are those of the first write, then those of the second, and so on. With `gated`, as
    in `GatedDeltaNet` (w.alpha (N, I), dt_bias and a_log (N,))::

        D_0 = exp(-exp(a_log) * softplus(W_alpha x_t + dt_bias)) * S_tm1

    unit(a) = a / sqrt(a . a + 1e-6), in each head. Where beta_j = 2 for all j, the memory is multiplied by n
    reflections: any orthogonal matrix that moves no more than n dimensions. The short convolutions before the silu,
    the norm of each head, the gate and the output projection of the paper's layer belong to the block around the cell.
    Decays are in float32 or wider whatever `dtype` is. With ``bias=True``, W x_t + b in place of W x_t."""

    writes: Annotated[int, Range(low=1, high=64)] = 2
    """Number of writes n in a step."""
    gated: bool = False
    """Whether the memory decays before the first write."""
    negative_eigenvalues: bool = True
    """Whether beta_j is up to 2; False: up to 1."""

    @property
    def gates(self) -> tuple[str, ...]:
        return ("q", "k", "v", "beta", "alpha") if self.gated else ("q", "k", "v", "beta")

    head_gates = ("beta", "alpha")

    @property
    def wide(self) -> tuple[str, ...]:
        return ("dt_bias", "a_log") if self.gated else ()

    def rows(self, gate: str) -> int:
        return super().rows(gate) * (self.writes if gate in ("k", "v", "beta") else 1)

    def init(self, key: Key, input_size: int) -> Params:
        key, dt_key, a_key = jax.random.split(key, 3)
        params = super().init(key, input_size)
        if self.gated:
            params["dt_bias"] = step_biases(dt_key, self.heads)
            params["a_log"] = rates(a_key, self.heads, 0.0, 16.0)
        return params

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        k, v = (silu(z_t[gate]).reshape(self.writes, self.heads, -1) for gate in "kv")
        k, q_t = unit(k), unit(self.per_head(silu(z_t["q"])))
        beta = (1 + self.negative_eigenvalues) * sigmoid(z_t["beta"]).reshape(self.writes, self.heads, 1)
        g = jnp.zeros_like(beta)
        if self.gated:
            g = g.at[0].set(head_decay(params, z_t["alpha"]))
        return {"q": q_t / self.keys**0.5, "k": beta * k, "v": v, "b": jnp.exp(g) * k, "g": g}
