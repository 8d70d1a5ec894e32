"""Greff et al. 2015: the vanilla LSTM of section 2, with CIFG of section 3, its gates coupled by i = 1 - f."""

import numpy as np

from references import sigmoid

FIELDS = [{"peepholes": False}, {"peepholes": False, "bias": False}]


def reference(cell, p, xs, state):
    W, R, b = p["w"], p["u"], p["b"]
    peephole = p["p"] if cell.peepholes else {"f": 0, "o": 0}
    y, c, ys = state["h"], state["c"], []
    for x in xs:
        z = np.tanh(W["g"] @ x + R["g"] @ y + b["g"])
        f = sigmoid(W["f"] @ x + R["f"] @ y + peephole["f"] * c + b["f"])
        i = 1 - f
        c = i * z + f * c
        o = sigmoid(W["o"] @ x + R["o"] @ y + peephole["o"] * c + b["o"])
        y = o * np.tanh(c)
        ys.append(y)
    return np.array(ys), {"h": y, "c": c}
