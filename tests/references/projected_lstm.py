"""Sak et al. 2014, equations 1 to 7 without peepholes, with the recurrent projection only."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, R, b = p["w"], p["v"], p["b"]
    r, c, ys = state["h"], state["c"], []
    for x in xs:
        i = sigmoid(W["i"] @ x + R["i"] @ r + b["i"])
        f = sigmoid(W["f"] @ x + R["f"] @ r + b["f"])
        c = f * c + i * np.tanh(W["g"] @ x + R["g"] @ r + b["g"])
        o = sigmoid(W["o"] @ x + R["o"] @ r + b["o"])
        r = p["p"] @ (o * np.tanh(c))
        ys.append(r)
    return np.array(ys), {"h": r, "c": c}
