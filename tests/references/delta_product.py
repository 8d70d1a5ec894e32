"""Siems et al. 2025 (DeltaProduct), section 3, as in the authors' code (fla/layers/gated_deltaproduct.py without short
convolutions, fla/ops/gated_delta_product/naive.py, with the kernels' scale of q)."""

import numpy as np

from references import sigmoid
from references._parts import heads, l2norm, silu, softplus

FIELDS = [
    {"heads": 2, "key_size": 5, "negative_eigenvalues": False, "writes": 3},
    {"heads": 3, "bias": True, "gated": True},
    {"writes": 1},
    {"heads": 2, "key_size": 2, "bias": True},
    {"writes": 3, "gated": True, "heads": 2},
]


def reference(cell, p, xs, state):
    W, b, N = p["w"], p["b"], cell.heads
    S, ys = state["s"], []
    K = S.shape[1]
    for x in xs:
        q = l2norm(heads(silu(W["q"] @ x + b["q"]), N)) * K**-0.5
        k = l2norm(silu(W["k"] @ x + b["k"]).reshape(cell.writes, N, K))
        v = silu(W["v"] @ x + b["v"]).reshape(cell.writes, N, -1)
        beta = sigmoid(W["beta"] @ x + b["beta"]).reshape(cell.writes, N)
        if cell.negative_eigenvalues:
            beta = 2 * beta
        if cell.gated:
            alpha = np.exp(-np.exp(p["a_log"]) * softplus(W["alpha"] @ x + b["alpha"] + p["dt_bias"]))
            S = np.array([alpha[n] * S[n] for n in range(N)])
        for j in range(cell.writes):
            S = np.array([S[n] + np.outer(k[j, n], beta[j, n] * (v[j, n] - k[j, n] @ S[n])) for n in range(N)])
        ys.append(np.concatenate([q[n] @ S[n] for n in range(N)]))
    return np.array(ys), {"s": S}
