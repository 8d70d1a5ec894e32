"""Sun et al. 2023: S_n = gamma S_{n-1} + K_n^T V_n and Q_n S_n (equation 6, without rotation), the gammas of
equation 8. K is scaled as in the authors' code (torchscale/component/multiscale_retention.py)."""

import numpy as np

from references._parts import heads

FIELDS = [{"heads": 2, "key_size": 5}, {"heads": 3, "bias": True}]


def reference(cell, p, xs, state):
    W, b, N = p["w"], p["b"], cell.heads
    S, ys = state["s"], []
    gamma = [1 - 2.0 ** (-5 - n) for n in range(N)]
    scaling = S.shape[1] ** -0.5
    for x in xs:
        Q = heads(W["q"] @ x + b["q"], N)
        K = heads((W["k"] @ x + b["k"]) * scaling, N)
        V = heads(W["v"] @ x + b["v"], N)
        S = np.array([gamma[n] * S[n] + np.outer(K[n], V[n]) for n in range(N)])
        ys.append(np.concatenate([Q[n] @ S[n] for n in range(N)]))
    return np.array(ys), {"s": S}
