"""Rusch and Mishra 2021b (arXiv:2103.05487), as in the authors' code (tk-rusch/unicornn, psMNIST/network.py:
unicornn_fwd)."""

import numpy as np

from references import sigmoid

FIELDS = [{"step_size": 0.7, "alpha": 2.0}]


def reference(cell, p, xs, state):
    V, W, b, c = p["w"]["y"], p["u"]["y"], p["b"]["y"], p["c"]
    dt, alpha = cell.step_size, cell.alpha
    y, z, ys = state["y"], state["v"], []
    for u in xs:
        z = z - dt * sigmoid(c) * (np.tanh(W @ y + V @ u + b) + alpha * y)
        y = y + dt * sigmoid(c) * z
        ys.append(y)
    return np.array(ys), {"y": y, "v": z}
