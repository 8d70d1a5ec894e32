"""RotationMinGRU of the package mingru-scans 0.2.0 (mingru/min_gru.py), without decay."""

import numpy as np

from references import sigmoid

FIELDS = [{"snap": None}, {"snap": (4,)}, {"snap": (3, 5)}]


def reference(cell, p, xs, state):
    W, b = p["w"], p["b"]
    blocks = cell.hidden_size // 2
    h, ys = state["h"], []
    for x in xs:
        theta = W["theta"] @ x + b["theta"][:blocks]
        d = np.tanh(W["u"] @ x + b["u"][:blocks])
        z = sigmoid(W["z"] @ x + b["z"])
        injection = z * (W["n"] @ x + b["n"])
        h_new = np.zeros(cell.hidden_size)
        for j in range(blocks):
            angle = theta[j]
            if cell.snap is not None:
                grid = 2 * np.pi / cell.snap[j % len(cell.snap)]
                angle = np.round(angle / grid) * grid
            R = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            plane = slice(2 * j, 2 * j + 2)
            h_new[plane] = R @ np.diag([1.0, d[j]]) @ h[plane] + injection[plane]
        h = h_new
        ys.append(h)
    return np.array(ys), {"h": h}
