"""Collins et al. 2017, section 2.1."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        c = np.tanh(U["n"] @ h + W["n"] @ x + b["n"])
        g = sigmoid(U["g"] @ h + W["g"] @ x + b["g"])
        h = g * h + (1 - g) * c
        ys.append(h)
    return np.array(ys), {"h": h}
