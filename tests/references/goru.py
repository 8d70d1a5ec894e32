"""Jing et al. 2019, as in the authors' code (jingli9111/GORU-tensorflow, goru.py: GORUCell), modReLU without the
small number that the code adds to the modulus."""

import numpy as np

from references import relu, sigmoid


def reference(cell, p, xs, state):
    U, W, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x in xs:
        r = sigmoid(U["r"] @ x + W["r"] @ h + b["r"])
        g = sigmoid(U["g"] @ x + W["g"] @ h + b["g"])
        a = r * (W["n"] @ h) + U["n"] @ x
        c = np.sign(a) * relu(np.abs(a) + b["n"])
        h = g * h + (1 - g) * c
        ys.append(h)
    return np.array(ys), {"h": h}
