"""Bradbury et al. 2017, section 2: masked convolutions (equations 1 and 2), f-, fo- and ifo-pooling (equations 3 to 5).
The paper's convolutions have no bias."""

import numpy as np

from references import sigmoid

FIELDS = [
    {"pooling": "f"},
    {"pooling": "ifo"},
    {"width": 1},
    {"width": 1, "pooling": "f"},
    {"width": 3, "pooling": "ifo"},
    {"width": 3, "pooling": "f", "bias": False},
]


def reference(cell, p, xs, state):
    W, b, k = p["w"], p["b"], cell.width
    before = state["x"] if k > 1 else np.zeros((0, xs.shape[1]))
    X = np.concatenate([before, xs])
    c, ys = state["h"], []
    for t in range(len(xs)):
        window = X[t : t + k]  # x_{t-k+1}, ..., x_t

        def convolution(gate, window=window):
            return sum(W[gate][:, j] @ window[j] for j in range(k)) + b[gate]

        z = np.tanh(convolution("z"))
        f = sigmoid(convolution("f"))
        if cell.pooling == "f":
            c = f * c + (1 - f) * z
            h = c
        elif cell.pooling == "fo":
            o = sigmoid(convolution("o"))
            c = f * c + (1 - f) * z
            h = o * c
        else:
            o = sigmoid(convolution("o"))
            i = sigmoid(convolution("i"))
            c = f * c + i * z
            h = o * c
        ys.append(h)
    last = {"h": c}
    if k > 1:
        last["x"] = X[len(X) - (k - 1) :]
    return np.array(ys), last
