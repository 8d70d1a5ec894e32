"""Collins et al. 2017, +RNN, with the input projection of its first author's IntersectionRNNCell (TensorFlow 1)."""

import numpy as np

from references import relu, sigmoid


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    h, y, ys = state["h"], state["y"], []
    for x in xs:
        if "p" in p:
            x = p["p"] @ x + (b["p"] if cell.bias else 0)
        y_in = relu(W["y"] @ x + U["y"] @ h + b["y"])
        h_in = np.tanh(W["h"] @ x + U["h"] @ h + b["h"])
        g_y = sigmoid(W["gy"] @ x + U["gy"] @ h + b["gy"])
        g_h = sigmoid(W["gh"] @ x + U["gh"] @ h + b["gh"])
        y = g_y * x + (1 - g_y) * y_in
        h = g_h * h + (1 - g_h) * h_in
        ys.append(y)
    return np.array(ys), {"h": h, "y": y}
