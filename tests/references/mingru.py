"""Feng et al. 2024, appendix B, sequential mode."""

import numpy as np

from references import positive, sigmoid


def reference(cell, p, xs, state):
    W, b = p["w"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        z = sigmoid(W["z"] @ x + b["z"])
        candidate = positive(W["n"] @ x + b["n"])
        h = (1 - z) * h + z * candidate
        ys.append(h)
    return np.array(ys), {"h": h}
