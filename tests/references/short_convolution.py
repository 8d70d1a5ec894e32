"""Gu & Dao 2023, in the form of the authors' code (mamba_ssm/modules/mamba_simple.py: conv1d, then silu;
causal_conv1d_ref of causal-conv1d), before h = tanh(W x + b + U h)."""

import numpy as np

from references import sigmoid

FIELDS = [
    {"activation": "identity"},
    {"width": 1},
    {"width": 2},
    {"convolution_bias": False},
    {"width": 3, "activation": "identity", "convolution_bias": False},
    {"convolved": ("h",), "skip": True},
]


def reference(cell, p, xs, state):
    W, U, b = p["w"]["h"], p["u"]["h"], p["b"]["h"]
    width, features = p["conv"]["w"].shape
    before = state["x"] if width > 1 else np.zeros((0, features))
    X = np.concatenate([before, xs])
    h, ys = state["h"], []
    for t in range(len(xs)):
        x = np.zeros(features)
        for j in range(width):
            x = x + p["conv"]["w"][j] * X[t + j]
        if cell.convolution_bias:
            x = x + p["conv"]["b"]
        if cell.activation == "silu":
            x = x * sigmoid(x)
        h = np.tanh(W @ x + b + U @ h)
        # xlstm/blocks/mlstm/layer.py of NX-AI/xlstm: h_tilde_state + learnable_skip * x_mlstm_conv_act
        ys.append(h + p["conv"]["skip"] * x if cell.skip else h)
    last = {"h": h}
    if width > 1:
        last["x"] = X[len(X) - (width - 1) :]
    return np.array(ys), last
