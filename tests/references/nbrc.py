"""Vecoven et al. 2021, nBRC, with the biases of the authors' code (nvecoven/BRC, cells/cells.py, NBRC)."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    U, W, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        a = 1 + np.tanh(U["a"] @ x + W["a"] @ h + b["a"])
        c = sigmoid(U["c"] @ x + W["c"] @ h + b["c"])
        h = c * h + (1 - c) * np.tanh(U["h"] @ x + a * h)
        ys.append(h)
    return np.array(ys), {"h": h}
