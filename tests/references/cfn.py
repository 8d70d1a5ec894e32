"""Laurent & von Brecht 2017, equations 1 and 2."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    V, U, b, W = p["w"], p["u"], p["b"], p["w"]["h"]
    h, ys = state["h"], []
    for x in xs:
        theta = sigmoid(U["theta"] @ h + V["theta"] @ x + b["theta"])
        eta = sigmoid(U["eta"] @ h + V["eta"] @ x + b["eta"])
        h = theta * np.tanh(h) + eta * np.tanh(W @ x)
        ys.append(h)
    return np.array(ys), {"h": h}
