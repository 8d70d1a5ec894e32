"""Peng et al. 2025 (RWKV-7), time mixing of the first layer as in the authors' code (BlinkDL/RWKV-LM,
RWKV-v7/rwkv_v7_numpy.py, `time_mixing`). S has values as rows, as there."""

import numpy as np

from references import sigmoid
from references._parts import heads

FIELDS = [
    {"heads": 2, "key_size": 5, "rate_rank": 2, "decay_rank": 3, "gate_rank": 4, "norm_eps": 0.1},
    {"heads": 3, "bias": True},
    {"heads": 2, "value": "first"},
]


def reference(cell, p, xs, state):
    W, b, N = p["w"], p["b"], cell.heads
    mix, down, up, base = p["mix"], p["down"], p["up"], p["base"]
    S, last_x, ys = np.swapaxes(state["s"], 1, 2), state["x"][0], []
    for x in xs:
        xr, xw, xk, xv, xa, xg = (x + mix[g] * (last_x - x) for g in ("r", "w", "k", "v", "a", "g"))
        r = heads(W["r"] @ xr + b["r"], N)
        w = heads(np.exp(-sigmoid(up["w"] @ np.tanh(down["w"] @ xw) + base["w"]) / np.sqrt(np.e)), N)
        key = W["k"] @ xk + b["k"]
        v = heads(W["v"] @ xv + b["v"], N)
        a = sigmoid(up["a"] @ (down["a"] @ xa) + base["a"])
        g = up["g"] @ sigmoid(down["g"] @ xg)
        kk = heads(key * p["k_k"], N)
        kk = kk / np.maximum(np.linalg.norm(kk, axis=1, keepdims=True), 1e-12)
        k = heads(key + key * (a - 1) * p["k_a"], N)
        a = heads(a, N)
        S = np.array(
            [S[n] @ np.diag(w[n]) - np.outer(S[n] @ kk[n], kk[n] * a[n]) + np.outer(v[n], k[n]) for n in range(N)]
        )
        y = np.array([S[n] @ r[n] for n in range(N)])
        mean, var = y.mean(axis=1, keepdims=True), y.var(axis=1, keepdims=True)
        y = ((y - mean) / np.sqrt(var + cell.norm_eps)).ravel() * p["norm"]["scale"] + p["norm"]["shift"]
        y = y + np.concatenate([np.sum(r[n] * k[n] * p["r_k"][n]) * v[n] for n in range(N)])
        ys.append(np.concatenate([y * g, v.ravel()]) if cell.value == "first" else y * g)
        last_x = x
    return np.array(ys), {"s": np.swapaxes(S, 1, 2), "x": last_x[None]}
