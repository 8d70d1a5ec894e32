"""Gu & Dao 2023, algorithm 2, as in the authors' code (state-spaces/mamba, mamba_ssm/modules/mamba_simple.py, `step`;
and `selective_scan_ref`): without convolution and gate."""

import numpy as np

FIELDS = [{"states": 3, "rank": 2}, {"bias": True}]


def softplus(a):
    return np.logaddexp(0, a)


def reference(cell, p, xs, state):
    W, b, D = p["w"]["h"], p["b"]["h"], p["d"]
    A = -np.exp(p["a_log"])
    h, ys = state["h"].reshape(A.shape), []
    for x in xs:
        u = W @ x + b
        B, C = p["v"]["b"] @ u, p["v"]["c"] @ u
        delta = softplus(p["step"]["w"] @ (p["v"]["r"] @ u) + p["step"]["b"])
        A_bar = np.exp(delta[:, None] * A)
        B_bar = delta[:, None] * B[None, :]
        h = A_bar * h + B_bar * u[:, None]
        ys.append(h @ C + D * u)
    return np.array(ys), {"h": h.ravel()}
