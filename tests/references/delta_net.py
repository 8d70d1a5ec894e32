"""Yang et al. 2024 (DeltaNet), section 2.2, as in the authors' code (fla/layers/delta_net.py without short
convolutions, fla/ops/delta_rule/naive.py, `delta_rule_recurrence`)."""

import numpy as np

from references import sigmoid
from references._parts import heads, l2norm, silu

FIELDS = [
    {"heads": 2, "key_size": 5, "negative_eigenvalues": True},
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
        S = np.array([S[n] + np.outer(k[n], beta[n] * (v[n] - k[n] @ S[n])) for n in range(N)])
        ys.append(np.concatenate([q[n] @ S[n] for n in range(N)]))
    return np.array(ys), {"s": S}
