"""Ba et al. 2016, supplementary material (GRU), as in the second author's layer-norm: layers.py, lngru_layer."""

import numpy as np

from references import sigmoid

FIELDS = [{"epsilon": 0.1}]


def ln(x, b, s, eps):
    return s * (x - x.mean()) / np.sqrt(x.var() + eps) + b


def reference(cell, p, xs, state):
    def gates(of):
        return np.concatenate([of["r"], of["z"]])

    W, U, b1_b3, s1, s3 = (gates(of) for of in (p["w"], p["u"], p["b"], p["alpha"]["x"], p["alpha"]["h"]))
    Wx, Ux, b2, s2, s4 = (of["n"] for of in (p["w"], p["u"], p["b"], p["alpha"]["x"], p["alpha"]["h"]))
    b4 = p["c"] if cell.bias else 0
    h, ys = state["h"], []
    for x in xs:
        preact = ln(U @ h, 0, s3, cell.epsilon) + ln(W @ x, 0, s1, cell.epsilon) + b1_b3
        r, u = np.split(sigmoid(preact), 2)
        candidate = np.tanh(ln(Ux @ h, b4, s4, cell.epsilon) * r + ln(Wx @ x, b2, s2, cell.epsilon))
        h = u * h + (1 - u) * candidate
        ys.append(h)
    return np.array(ys), {"h": h}
