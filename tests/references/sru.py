"""Lei et al. 2018, section 2, in the form of the authors' code: sru/ops.py and sru/modules.py of asappresearch/sru.

Its weight_c is a vector; here diag(weight_c), as a matrix."""

import numpy as np

from references import sigmoid

FIELDS = [
    {"activation": "tanh"},
    {"skip": False},
    {"rescale": False},
    {"activation": "tanh", "skip": False},
]


def reference(cell, p, xs, state):
    W, V, b = p["w"], p["u"], p["b"]
    scale_x = np.sqrt(1 + 2 * np.exp(cell.highway_bias)) if cell.rescale else 1.0
    c, h, ys = state["c"], state["h"], []
    for x in xs:
        f = sigmoid(W["f"] @ x + V["f"] @ c + b["f"])
        r = sigmoid(W["r"] @ x + V["r"] @ c + b["r"])
        c = f * c + (1 - f) * (W["n"] @ x)
        g = np.tanh(c) if cell.activation == "tanh" else c
        if not cell.skip:
            h = r * g
        elif len(x) == len(c):
            h = r * g + (1 - r) * (scale_x * x)
        else:
            h = r * g + (1 - r) * (p["skip"] @ x)
        ys.append(h)
    return np.array(ys), {"c": c, "h": h}
