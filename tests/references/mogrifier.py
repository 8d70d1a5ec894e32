"""Melis et al. 2020, section 2, with the biases of the authors' code (lamb, lamb/tiled_lstm.py, _do_feature_masking),
before the LSTM of Gers et al. 2000."""

import numpy as np

from references import sigmoid

FIELDS = [
    {"rounds": 0},
    {"rounds": 1},
    {"rounds": 2},
    {"rounds": 4},
    {"rounds": 4, "rank": 2},
    {"rounds": 4, "rank": 2, "bias": False},
]


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    h, c, ys = state["h"], state["c"], []

    def gate(name, v):
        """2 sigma(Q v + bias), or R in place of Q."""
        q = p["mogrifier"][name]
        matrix = q["left"] @ q["right"] if cell.rank else q["w"]
        return 2 * sigmoid(matrix @ v + (q["b"] if cell.bias else 0))

    for x in xs:
        for i in range(1, cell.rounds + 1):
            if i % 2 == 1:
                x = gate(f"q{i}", h) * x
            else:
                h = gate(f"r{i}", x) * h
        i = sigmoid(W["i"] @ x + U["i"] @ h + b["i"])
        f = sigmoid(W["f"] @ x + U["f"] @ h + b["f"])
        o = sigmoid(W["o"] @ x + U["o"] @ h + b["o"])
        g = np.tanh(W["g"] @ x + U["g"] @ h + b["g"])
        c = f * c + i * g
        h = o * np.tanh(c)
        ys.append(h)
    return np.array(ys), {"h": h, "c": c}
