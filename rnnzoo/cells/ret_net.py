"""Retentive network, RetNet (Sun et al. 2023). arXiv:2307.08621"""

import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.heads import HeadMemory
from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.spec import Size, spec
from rnnzoo.typing import Params, PyTree


@spec
class RetNet(HeadMemory):
    """N heads of K keys and V = H / N values, head n with a decay of its own::

        gamma_n = 1 - 2^(-5 - n)                              Parameters  w.q w.k  (N K, I)
        q_t = W_q x_t                                                     w.v      (H, I)
        k_t = W_k x_t / sqrt(K)                               State       s  (N, K, V) = S
        v_t = W_v x_t                                         Output      y  (H,)
        S_t = gamma_n * S_tm1 + k_t v_t^T
        y_t = S_t^T q_t

    Heads count from 0. The paper's rotation of q_t and k_t by an angle that grows with t (xPos) is left out: it needs
    the position in the sequence, which `project` does not see, and as part of the decay it would make S complex. The
    norm of each head, the gate and the output projection of the paper's layer belong to the block around the cell, and
    so does the scale of its recurrent code, which that norm cancels. Weights start as in the authors' code: Glorot
    uniform times 2^-2.5. With ``bias=True``, W x_t + b in place of W x_t."""

    gain = 2**-2.5

    key_size: Size | None = None
    """Number of keys K in a head (None: half as many as values, rounded up)."""

    @property
    def usual_keys(self) -> int:
        return -(-self.values // 2)

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        q_t, k_t, v_t = (self.per_head(z_t[gate]) for gate in "qkv")
        log_gamma = np.log1p(-np.exp2(-5.0 - np.arange(self.heads)))[:, None]
        return {"q": q_t, "k": k_t / self.keys**0.5, "v": v_t, "g": jnp.asarray(log_gamma, q_t.dtype)}
