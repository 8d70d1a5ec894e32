"""Turkoglu et al. 2022, STAR; where beta is not 0, the authors' star.py: its gate f is K with the sign turned."""

import numpy as np

from references import sigmoid

FIELDS = [{"beta": 1.0}, {"beta": -0.5}]


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        if cell.beta == 0:
            K = sigmoid(W["k"] @ x + U["k"] @ h + b["k"])
            z = np.tanh(W["n"] @ x + b["n"])
            h = np.tanh((1 - K) * h + K * z)
        else:
            f = -(W["k"] @ x + U["k"] @ h + b["k"])
            j = W["n"] @ x + b["n"]
            h = np.tanh(sigmoid(f) * h + (1 - sigmoid(f - cell.beta)) * np.tanh(j))
        ys.append(h)
    return np.array(ys), {"h": h}
