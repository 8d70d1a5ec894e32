"""Mujika et al. 2017, section 3, in the form of the authors' code (Fast-Slow-LSTM, FSRNN.py, FSRNNCell) without
dropout; the cells are the LSTM of Gers et al. 2000."""

import numpy as np

from references import sigmoid

FIELDS = [{"layers": 3}, {"layers": 4}, {"layers": 3, "bias": False}]


def lstm(p, x, state):
    """One step of Gers et al. 2000: the output and the new state."""
    h, c = state["h"], state["c"]
    b = p.get("b", dict.fromkeys("ifog", 0.0))
    a = {g: p["w"][g] @ x + p["u"][g] @ h + b[g] for g in "ifog"}
    c = sigmoid(a["f"]) * c + sigmoid(a["i"]) * np.tanh(a["g"])
    h = sigmoid(a["o"]) * np.tanh(c)
    return h, {"h": h, "c": c}


def reference(cell, p, xs, state):
    F_state, S_state, ys = state["fast"], state["slow"], []
    for x in xs:
        F_output, F_state = lstm(p["fast_0"], x, F_state)
        S_output, S_state = lstm(p["slow"], F_output, S_state)
        F_output, F_state = lstm(p["fast_1"], S_output, F_state)
        for i in range(2, cell.layers):
            F_output, F_state = lstm(p[f"fast_{i}"], np.zeros(1), F_state)
        ys.append(F_output)
    return np.array(ys), {"fast": F_state, "slow": S_state}
