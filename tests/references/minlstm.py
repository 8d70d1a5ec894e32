"""Feng et al. 2024, appendix B, sequential mode with length independence."""

import numpy as np

from references import positive, sigmoid


def reference(cell, p, xs, state):
    W, b = p["w"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        f = sigmoid(W["f"] @ x + b["f"])
        i = sigmoid(W["i"] @ x + b["i"])
        candidate = positive(W["n"] @ x + b["n"])
        f_prime, i_prime = f / (f + i), i / (f + i)
        h = f_prime * h + i_prime * candidate
        ys.append(h)
    return np.array(ys), {"h": h}
