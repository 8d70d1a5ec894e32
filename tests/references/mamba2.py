"""Dao and Gu 2024 (state space duality), as in the authors' code (state-spaces/mamba, mamba_ssm/modules/mamba2.py,
`step`, with the groups of ops/triton/selective_state_update.py): without convolution, gate z, and norm."""

import numpy as np

from references._parts import heads, silu, softplus

FIELDS = [
    {"heads": 2, "key_size": 5, "groups": 2},
    {"heads": 6, "groups": 3, "bias": True},
    {"heads": 3},
    {"heads": 6, "key_size": 2, "groups": 2},
]


def reference(cell, p, xs, state):
    W, b, N, G = p["w"], p["b"], cell.heads, cell.groups
    S, ys = state["s"], []
    A = -np.exp(p["a_log"])
    for u in xs:
        x = heads(silu(W["x"] @ u + b["x"]), N)
        B = heads(silu(W["b"] @ u + b["b"]), G)
        C = heads(silu(W["c"] @ u + b["c"]), G)
        dt = softplus(W["dt"] @ u + b["dt"] + p["dt_bias"])
        group = [n // (N // G) for n in range(N)]
        S = np.array([np.exp(dt[n] * A[n]) * S[n] + dt[n] * np.outer(B[group[n]], x[n]) for n in range(N)])
        ys.append(np.concatenate([C[group[n]] @ S[n] + p["d"][n] * x[n] for n in range(N)]))
    return np.array(ys), {"s": S}
