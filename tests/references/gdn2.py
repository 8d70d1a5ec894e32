"""Hatamizadeh et al. 2026 (gated DeltaNet 2), as in fla/layers/gdn2.py without short convolutions and
fla/ops/gdn2/naive.py, `naive_recurrent_gdn2`."""

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
        erase = heads(sigmoid(W["erase"] @ x + b["erase"]), N)
        if cell.negative_eigenvalues:
            erase = 2 * erase
        write = heads(sigmoid(W["write"] @ x + b["write"]), N)
        f = heads(p["up"]["alpha"] @ (p["down"]["alpha"] @ x) + p["dt_bias"], N)
        alpha = [np.exp(-np.exp(p["a_log"][n]) * softplus(f[n])) for n in range(N)]
        S = np.array([np.diag(alpha[n]) @ S[n] for n in range(N)])
        S = np.array([S[n] + np.outer(k[n], write[n] * v[n] - (erase[n] * k[n]) @ S[n]) for n in range(N)])
        ys.append(np.concatenate([q[n] @ S[n] for n in range(N)]))
    return np.array(ys), {"s": S}
