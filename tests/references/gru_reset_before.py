"""Cho et al. 2014, equations 5 to 8, plus biases."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        r = sigmoid(W["r"] @ x + U["r"] @ h + b["r"])
        z = sigmoid(W["z"] @ x + U["z"] @ h + b["z"])
        h_tilde = np.tanh(W["n"] @ x + U["n"] @ (r * h) + b["n"])
        h = z * h + (1 - z) * h_tilde
        ys.append(h)
    return np.array(ys), {"h": h}
