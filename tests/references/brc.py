"""Vecoven et al. 2021, BRC, with the biases of the authors' code (nvecoven/BRC, cells/cells.py, BRC)."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    U, w, b = p["w"], p["u"], p["b"]  # w: matrices, diagonal in the paper
    h, ys = state["h"], []
    for x in xs:
        a = 1 + np.tanh(U["a"] @ x + w["a"] @ h + b["a"])
        c = sigmoid(U["c"] @ x + w["c"] @ h + b["c"])
        h = c * h + (1 - c) * np.tanh(U["h"] @ x + a * h)
        ys.append(h)
    return np.array(ys), {"h": h}
