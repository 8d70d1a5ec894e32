"""Rusch et al. 2022, equation 3."""

import numpy as np

from references import sigmoid

FIELDS = [{"step_size": 0.4}]


def reference(cell, p, xs, state):
    V, W, b = p["w"], p["u"], p["b"]
    dt = cell.step_size
    z, y, ys = state["c"], state["y"], []
    for u in xs:
        dt_n = dt * sigmoid(W["p"] @ y + V["p"] @ u + b["p"])
        dt_bar_n = dt * sigmoid(W["q"] @ y + V["q"] @ u + b["q"])
        z = (1 - dt_n) * z + dt_n * np.tanh(W["c"] @ y + V["c"] @ u + b["c"])
        y = (1 - dt_bar_n) * y + dt_bar_n * np.tanh(W["y"] @ z + V["y"] @ u + b["y"])
        ys.append(y)
    return np.array(ys), {"c": z, "y": y}
