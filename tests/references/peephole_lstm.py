"""Greff et al. 2015, section 2 (vanilla LSTM), as in the authors' brainstorm: brainstorm/layers/lstm_peephole.py."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, R, b, peephole = p["w"], p["u"], p["b"], p["p"]
    y, c, ys = state["h"], state["c"], []
    for x in xs:
        z = np.tanh(W["g"] @ x + R["g"] @ y + b["g"])
        i = sigmoid(W["i"] @ x + R["i"] @ y + peephole["i"] * c + b["i"])
        f = sigmoid(W["f"] @ x + R["f"] @ y + peephole["f"] * c + b["f"])
        c = i * z + f * c
        o = sigmoid(W["o"] @ x + R["o"] @ y + peephole["o"] * c + b["o"])
        y = o * np.tanh(c)
        ys.append(y)
    return np.array(ys), {"h": y, "c": c}
