"""Kimi Team 2025 (Kimi delta attention), equation 1: S_t = (I - beta_t k_t k_t^T) Diag(alpha_t) S_{t-1} + beta_t k_t
v_t^T, as in the authors' code (fla/layers/kda.py without short convolutions, fla/ops/kda/naive.py,
`naive_recurrent_kda`, and fla/ops/kda/gate.py, `naive_kda_gate`)."""

import numpy as np

from references import sigmoid
from references._parts import heads, l2norm, silu, softplus

FIELDS = [
    {"heads": 2, "key_size": 5, "negative_eigenvalues": True, "rank": 2},
    {"heads": 3, "bias": True},
]


def reference(cell, p, xs, state):
    W, b, N = p["w"], p["b"], cell.heads
    S, ys = state["s"], []
    K = S.shape[1]
    for x in xs:
        q = l2norm(heads(silu(W["q"] @ x + b["q"]), N)) * K**-0.5
        k = l2norm(heads(silu(W["k"] @ x + b["k"]), N))
        v = heads(silu(W["v"] @ x + b["v"]), N)
        beta = sigmoid(W["beta"] @ x + b["beta"])
        if cell.negative_eigenvalues:
            beta = 2 * beta
        f = heads(p["up"]["alpha"] @ (p["down"]["alpha"] @ x) + p["dt_bias"], N)
        alpha = [np.exp(-np.exp(p["a_log"][n]) * softplus(f[n])) for n in range(N)]
        S = np.array(
            [
                (np.eye(K) - beta[n] * np.outer(k[n], k[n])) @ np.diag(alpha[n]) @ S[n] + beta[n] * np.outer(k[n], v[n])
                for n in range(N)
            ]
        )
        ys.append(np.concatenate([q[n] @ S[n] for n in range(N)]))
    return np.array(ys), {"s": S}
