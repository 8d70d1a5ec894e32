"""Kusupati et al. 2018, section 3.2, FastGRNN, with zeta and nu as in the authors' code (EdgeML, FastGRNNCell)."""

import numpy as np

from references import relu, sigmoid

FIELDS = [{"activation": "relu"}, {"activation": "sigmoid"}]


def reference(cell, p, xs, state):
    W, U = p["w"]["h"], p["u"]["h"]
    b_z, b_h = (p["b"]["z"], p["b"]["n"]) if cell.bias else (0, 0)
    zeta, nu = sigmoid(p["zeta"]), sigmoid(p["nu"])
    f = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid}[cell.activation]
    h, ys = state["h"], []
    for x in xs:
        z = sigmoid(W @ x + U @ h + b_z)
        h_tilde = f(W @ x + U @ h + b_h)
        h = (zeta * (1 - z) + nu) * h_tilde + z * h
        ys.append(h)
    return np.array(ys), {"h": h}
