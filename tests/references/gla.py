"""Yang et al. 2024 (gated linear attention), sections 4.1 and 4.4: S_t = diag(alpha_t) S_{t-1} + k_t^T v_t, with
alpha_t = sigmoid(x W_1 W_2 + b)^(1 / tau). The scale of q is that of the authors' code (fla/ops/gla/naive.py)."""

import numpy as np

from references import sigmoid
from references._parts import heads

FIELDS = [
    {"heads": 2, "key_size": 5, "rank": 2, "temperature": 3.0, "bias": True},
    {"heads": 3},
    {"heads": 6, "temperature": 1.0, "rank": 1},
]


def reference(cell, p, xs, state):
    W, b, N = p["w"], p["b"], cell.heads
    S, ys = state["s"], []
    K = S.shape[1]
    for x in xs:
        q = heads(W["q"] @ x + b["q"], N) * K**-0.5
        k = heads(W["k"] @ x + b["k"], N)
        v = heads(W["v"] @ x + b["v"], N)
        alpha = heads(sigmoid(p["up"]["g"] @ (p["down"]["g"] @ x) + p["c"]) ** (1 / cell.temperature), N)
        S = np.array([np.diag(alpha[n]) @ S[n] + np.outer(k[n], v[n]) for n in range(N)])
        ys.append(np.concatenate([q[n] @ S[n] for n in range(N)]))
    return np.array(ys), {"s": S}
