"""Zilly et al. 2017, section 4: s_l, h_l, t_l, c_l of every layer l = 1, ..., L."""

import numpy as np

from references import sigmoid

FIELDS = [{"coupled": False}, {"depth": 1}, {"depth": 4, "coupled": False}]


def reference(cell, p, xs, state):
    W, R, b = p["w"], p["u"], p["b"]
    s, ys = state["h"], []
    for x in xs:
        for layer in range(1, cell.depth + 1):
            first = 1 if layer == 1 else 0

            def linear(gate, s=s, x=x, layer=layer, first=first):
                W_x = W[f"{gate}1"] @ x * first
                return W_x + R[f"{gate}{layer}"] @ s + b[f"{gate}{layer}"]

            h = np.tanh(linear("n"))
            t = sigmoid(linear("t"))
            c = 1 - t if cell.coupled else sigmoid(linear("c"))
            s = h * t + s * c
        ys.append(s)
    return np.array(ys), {"h": s}
