"""Erichson et al. 2021, equation 2, and the authors' code (erichson/LipschitzRNN, models.py: LipschitzRNN with the
Euler step, LipschitzRNN_ODE with the explicit midpoint of torchdiffeq). A and W are the whole matrices."""

import numpy as np

FIELDS = [{"solver": "midpoint", "epsilon": 0.5}, {"epsilon": 0.3}]


def reference(cell, p, xs, state):
    A, W, E, b = p["u"]["a"], p["u"]["h"], p["w"]["h"], p["b"]["h"]
    eps = cell.epsilon
    h, ys = state["h"], []
    for x in xs:
        z = E @ x + b
        slope = A @ h + np.tanh(W @ h + z)
        if cell.solver == "midpoint":
            middle = h + eps / 2 * slope
            slope = A @ middle + np.tanh(W @ middle + z)
        h = h + eps * slope
        ys.append(h)
    return np.array(ys), {"h": h}
