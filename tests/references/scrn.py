"""Mikolov et al. 2014, section 4: the equations of s_t and h_t, with a fixed alpha."""

import numpy as np

from references import sigmoid

FIELDS = [{"context": 3, "alpha": 0.5}, {"bias": True}]


def reference(cell, p, xs, state):
    A, B, P, R, b = p["w"]["h"], p["b_in"], p["p"], p["u"]["h"], p["b"]["h"]
    alpha = cell.alpha
    h, s, ys = state["h"], state["s"], []
    for x in xs:
        s = (1 - alpha) * (B @ x) + alpha * s
        h = sigmoid(P @ s + A @ x + R @ h + b)
        ys.append(np.concatenate([h, s]))
    return np.array(ys), {"h": h, "s": s}
