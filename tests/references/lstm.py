"""Gers et al. 2000, in the form of Zaremba et al. 2014."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    h, c, ys = state["h"], state["c"], []
    for x in xs:
        i = sigmoid(W["i"] @ x + U["i"] @ h + b["i"])
        f = sigmoid(W["f"] @ x + U["f"] @ h + b["f"])
        o = sigmoid(W["o"] @ x + U["o"] @ h + b["o"])
        g = np.tanh(W["g"] @ x + U["g"] @ h + b["g"])
        c = f * c + i * g
        h = o * np.tanh(c)
        ys.append(h)
    return np.array(ys), {"h": h, "c": c}
