"""Chang et al. 2019, section 3.3: gate and candidate share one matrix; U is the whole W_h - W_h^T - gamma I."""

import numpy as np

from references import sigmoid

FIELDS = [{"epsilon": 0.5}]


def reference(cell, p, xs, state):
    V, U, b = p["w"], p["u"]["h"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        z = sigmoid(U @ h + V["z"] @ x + b["z"])
        h = h + cell.epsilon * z * np.tanh(U @ h + V["h"] @ x + b["h"])
        ys.append(h)
    return np.array(ys), {"h": h}
