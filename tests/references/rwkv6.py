"""Peng et al. 2024 (Finch), time mixing as in the authors' code (BlinkDL/RWKV-LM, RWKV-v5/src/model.py,
`RWKV_Tmix_x060`)."""

import numpy as np

from references._parts import heads, silu

FIELDS = [
    {"heads": 2, "key_size": 5, "mix_rank": 2, "decay_rank": 3, "norm_eps": 0.1},
    {"heads": 3, "bias": True},
]


def reference(cell, p, xs, state):
    W, b, N = p["w"], p["b"], cell.heads
    mix, down, up, u = p["mix"], p["down"], p["up"], p["bonus"]
    S, last_x, read, ys = state["s"], state["x"][0], state["y"], []
    for x in xs:
        xx = last_x - x
        xxx = x + xx * mix["x"]
        shifted = {g: x + xx * (mix[g] + up[g] @ np.tanh(down[g] @ xxx)) for g in ("w", "k", "v", "r", "g")}
        r = heads(W["r"] @ shifted["r"] + b["r"], N)
        k = heads(W["k"] @ shifted["k"] + b["k"], N)
        v = heads(W["v"] @ shifted["v"] + b["v"], N)
        g = silu(W["g"] @ shifted["g"] + b["g"])
        w = heads(np.exp(-np.exp(p["base"] + up["decay"] @ np.tanh(down["decay"] @ shifted["w"]))), N)
        kv = [np.outer(k[n], v[n]) for n in range(N)]
        read = np.array([r[n] @ (np.diag(u[n]) @ kv[n] + S[n]) for n in range(N)])
        S = np.array([np.diag(w[n]) @ S[n] + kv[n] for n in range(N)])
        mean, var = read.mean(axis=1, keepdims=True), read.var(axis=1, keepdims=True)
        ln_x = ((read - mean) / np.sqrt(var + cell.norm_eps)).ravel() * p["norm"]["scale"] + p["norm"]["shift"]
        ys.append(ln_x * g)
        last_x = x
    return np.array(ys), {"s": S, "x": last_x[None], "y": read}
