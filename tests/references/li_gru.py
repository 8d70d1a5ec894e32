"""Ravanelli et al. 2018, Li-GRU without batch normalisation; that branch of the authors' pytorch-kaldi, liGRU."""

import numpy as np

from references import relu, sigmoid

FIELDS = [{"activation": "tanh"}]


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    act = {"relu": relu, "tanh": np.tanh}[cell.activation]
    h, ys = state["h"], []
    for x in xs:
        z = sigmoid(W["z"] @ x + b["z"] + U["z"] @ h)
        h_tilde = act(W["n"] @ x + b["n"] + U["n"] @ h)
        h = z * h + (1 - z) * h_tilde
        ys.append(h)
    return np.array(ys), {"h": h}
