"""Elman 1990, with the activation of the specification."""

import numpy as np

from references import relu, sigmoid

FIELDS = [{"activation": "relu"}, {"activation": "sigmoid"}, {"activation": "identity"}]


def reference(cell, p, xs, state):
    function = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid, "identity": lambda a: a}[cell.activation]
    W, U, b = p["w"]["h"], p["u"]["h"], p["b"]["h"]
    h, ys = state["h"], []
    for x in xs:
        h = function(W @ x + U @ h + b)
        ys.append(h)
    return np.array(ys), {"h": h}
