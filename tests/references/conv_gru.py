"""Ballas et al. 2016, section 3.1: the GRU-RCN; zeros around the picture. The paper has no biases."""

import numpy as np

from references import sigmoid
from references.conv_lstm import from_inputs

FIELDS = [
    {"shape": (6,)},
    {"shape": (2, 3), "kernel": 2},
    {"shape": (3,), "channels": 2, "kernel": 5, "input_kernel": 3},
    {"shape": (2, 3), "bias": False},
]


def reference(cell, p, xs, state):
    U = p["u"]
    h, ys = state["h"], []
    for x in xs:
        z = sigmoid(from_inputs(cell, p, "z", x) + U["z"] @ h)
        r = sigmoid(from_inputs(cell, p, "r", x) + U["r"] @ h)
        h_tilde = np.tanh(from_inputs(cell, p, "n", x) + U["n"] @ (r * h))
        h = (1 - z) * h + z * h_tilde
        ys.append(h)
    return np.array(ys), {"h": h}
