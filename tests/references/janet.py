"""van der Westhuizen & Lasenby 2018, JANET with s_t and beta; beta = 1 is the authors' rnn_cells.py, forget_only."""

import numpy as np

from references import sigmoid

FIELDS = [{"beta": 0.0}, {"beta": 2.5}]


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    c, ys = state["h"], []
    for x in xs:
        s = U["f"] @ c + W["f"] @ x + b["f"]
        c_tilde = np.tanh(U["n"] @ c + W["n"] @ x + b["n"])
        c = sigmoid(s) * c + (1 - sigmoid(s - cell.beta)) * c_tilde
        ys.append(c)
    return np.array(ys), {"h": c}
