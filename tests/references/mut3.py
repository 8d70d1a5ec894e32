"""Jozefowicz et al. 2015, MUT3."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        z = sigmoid(W["z"] @ x + U["z"] @ np.tanh(h) + b["z"])
        r = sigmoid(W["r"] @ x + U["r"] @ h + b["r"])
        h = np.tanh(U["n"] @ (r * h) + W["n"] @ x + b["n"]) * z + h * (1 - z)
        ys.append(h)
    return np.array(ys), {"h": h}
