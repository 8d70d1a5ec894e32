"""SignedMinGRU of the package mingru-scans 0.2.0 (mingru/min_gru.py), without decay."""

import numpy as np

from references import sigmoid

FIELDS = [{"coupled": True}]


def reference(cell, p, xs, state):
    W, b = p["w"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        z = sigmoid(W["z"] @ x + b["z"])
        h_tilde = W["n"] @ x + b["n"]
        a = np.tanh(W["s"] @ x + b["s"])
        if cell.coupled:
            a = (1 - z) * a
        h = a * h + z * h_tilde
        ys.append(h)
    return np.array(ys), {"h": h}
