"""Jozefowicz et al. 2015, MUT1; x_t in the inner tanh is mapped to H units where it has another size."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        z = sigmoid(W["z"] @ x + b["z"])
        r = sigmoid(W["r"] @ x + U["r"] @ h + b["r"])
        mapped = W["n"] @ x if "n" in W else x
        h = np.tanh(U["n"] @ (r * h) + np.tanh(mapped) + b["n"]) * z + h * (1 - z)
        ys.append(h)
    return np.array(ys), {"h": h}
