"""Cho et al. 2014, equations 5 to 8, in the form of cuDNN: reset after U, with a bias of its own inside the reset."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, U, b, c = p["w"], p["u"], p["b"], p["c"] if cell.bias else 0
    h, ys = state["h"], []
    for x in xs:
        r = sigmoid(W["r"] @ x + U["r"] @ h + b["r"])
        z = sigmoid(W["z"] @ x + U["z"] @ h + b["z"])
        h_tilde = np.tanh(W["n"] @ x + b["n"] + r * (U["n"] @ h + c))
        h = z * h + (1 - z) * h_tilde
        ys.append(h)
    return np.array(ys), {"h": h}
