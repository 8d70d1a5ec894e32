"""Gu et al. 2020, section 3: the UR-LSTM, with 1 - g in the input gate's place.

The refined gate g is also in the first author's code: state-spaces/s4, src/models/nn/gate.py, mechanism UR.
"""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    h, c, ys = state["h"], state["c"], []
    for x in xs:
        f = sigmoid(W["f"] @ x + U["f"] @ h + b["f"])
        r = sigmoid(W["r"] @ x + U["r"] @ h + b["r"])
        u = np.tanh(W["u"] @ x + U["u"] @ h + b["u"])
        o = sigmoid(W["o"] @ x + U["o"] @ h + b["o"])
        g = r * (1 - (1 - f) ** 2) + (1 - r) * f**2
        c = g * c + (1 - g) * u
        h = o * np.tanh(c)
        ys.append(h)
    return np.array(ys), {"h": h, "c": c}
