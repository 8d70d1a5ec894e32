"""Dao & Gu 2024, in the form of the authors' code (mamba_ssm/modules/mamba2_simple.py: in_proj, conv1d, then the rest;
causal_conv1d_ref of causal-conv1d), before h = tanh(W x + b + U h)."""

import numpy as np

from references import sigmoid

FIELDS = [
    {"activation": "silu"},
    {"width": 2, "convolution_bias": False},
    {"width": 3, "convolved": ("h",), "activation": "silu", "convolution_bias": False},
]


def reference(cell, p, xs, state):
    W, U, b, w = p["w"]["h"], p["u"]["h"], p["b"]["h"], p["conv"]["w"]["h"]
    X = list(state["z"]["h"])
    h, ys = state["h"], []
    for x in xs:
        X.append(W @ x + b)
        a = sum(w[len(w) - 1 - lag] * X[len(X) - 1 - lag] for lag in range(len(w)))
        if cell.convolution_bias:
            a = a + p["conv"]["b"]["h"]
        if cell.activation == "silu":
            a = a * sigmoid(a)
        h = np.tanh(a + U @ h)
        ys.append(h)
    return np.array(ys), {"h": h, "z": {"h": np.array(X[len(X) - len(w) + 1 :])}}
