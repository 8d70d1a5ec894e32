"""Kusupati et al. 2018, section 3.1, FastRNN, with alpha and beta as in the authors' code (EdgeML, FastRNNCell)."""

import numpy as np

from references import relu, sigmoid

FIELDS = [{"activation": "relu"}, {"activation": "sigmoid"}]


def reference(cell, p, xs, state):
    W, U, b = p["w"]["h"], p["u"]["h"], p["b"]["h"]
    alpha, beta = sigmoid(p["alpha"]), sigmoid(p["beta"])
    f = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid}[cell.activation]
    h, ys = state["h"], []
    for x in xs:
        h_tilde = f(W @ x + U @ h + b)
        h = alpha * h_tilde + beta * h
        ys.append(h)
    return np.array(ys), {"h": h}
