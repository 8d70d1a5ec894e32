"""Lukosevicius 2012, section 2: x~ and x, the update with leaky integration."""

import numpy as np

from references import relu, sigmoid

FIELDS = [{"leak": 0.7, "activation": "relu"}, {"activation": "sigmoid"}]


def reference(cell, p, xs, state, dts=None):
    W_in = np.column_stack([p["b"]["h"], p["w"]["h"]])
    W = p["u"]["h"]
    f = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid}[cell.activation]
    x, ys = state["h"], []
    for u, dt in zip(xs, np.ones(len(xs)) if dts is None else dts, strict=True):
        alpha = cell.leak * dt
        new = f(W_in @ np.concatenate([[1], u]) + W @ x)
        x = (1 - alpha) * x + alpha * new
        ys.append(x)
    return np.array(ys), {"h": x}
