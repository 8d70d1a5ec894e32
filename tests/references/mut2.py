"""Jozefowicz et al. 2015, MUT2; x_t in r is mapped to H units where it has another size."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        z = sigmoid(W["z"] @ x + U["z"] @ h + b["z"])
        mapped = W["r"] @ x if "r" in W else x
        r = sigmoid(mapped + U["r"] @ h + b["r"])
        h = np.tanh(U["n"] @ (r * h) + W["n"] @ x + b["n"]) * z + h * (1 - z)
        ys.append(h)
    return np.array(ys), {"h": h}
