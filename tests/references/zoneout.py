"""Krueger et al. 2017, the LSTM with zoneout of c and h, the masks at their mean."""

import numpy as np

from references import sigmoid


def lstm_step(p, x, h, c):
    """One step of Gers et al. 2000."""
    a = {g: p["w"][g] @ x + p["u"][g] @ h + p["b"][g] for g in "ifog"}
    c = sigmoid(a["f"]) * c + sigmoid(a["i"]) * np.tanh(a["g"])
    return sigmoid(a["o"]) * np.tanh(c), c


def reference(cell, p, xs, state):
    h, c, ys = state["h"], state["c"], []
    for x in xs:
        h_new, c_new = lstm_step(p, x, h, c)
        h = cell.rate * h + (1 - cell.rate) * h_new
        c = cell.memory_rate * c + (1 - cell.memory_rate) * c_new
        ys.append(h)
    return np.array(ys), {"h": h, "c": c}
