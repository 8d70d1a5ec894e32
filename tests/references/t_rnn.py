"""Balduzzi & Ghifary 2016: the strongly-typed vanilla network, T-RNN, as stated in PFCM/typed-rnn, typedrnn.py."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, V, b = p["w"]["n"], p["w"]["f"], p["b"]["f"]
    h, ys = state["h"], []
    for x in xs:
        z = W @ x
        f = sigmoid(V @ x + b)
        h = f * h + (1 - f) * z
        ys.append(h)
    return np.array(ys), {"h": h}
