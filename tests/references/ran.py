"""Lee et al. 2017, section 2, with the linear content layer of the authors' code (kentonl/ran, ran.py)."""

import numpy as np

from references import sigmoid

FIELDS = [{"activation": "identity"}]


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    g = {"tanh": np.tanh, "identity": lambda c: c}[cell.activation]
    c, ys = state["c"], []
    h = g(c)
    for x in xs:
        c_tilde = W["n"] @ x
        i = sigmoid(U["i"] @ h + W["i"] @ x + b["i"])
        f = sigmoid(U["f"] @ h + W["f"] @ x + b["f"])
        c = i * c_tilde + f * c
        h = g(c)
        ys.append(h)
    return np.array(ys), {"c": c}
