"""Voelker et al. 2019, section 2; A and B discretised as in the authors' code (abr/neurips2019, lmu/lmu.py)."""

from typing import Any

import numpy as np
from scipy.signal import cont2discrete

FIELDS = [{"order": 3, "theta": 4.0}, {"discretization": "euler", "theta": 40.0}, {"bias": True}]


def matrices(d, theta, method):
    """theta dm/dt = A m + B u, in steps of 1."""
    A, B = np.zeros((d, d)), np.zeros((d, 1))
    for i in range(d):
        for j in range(d):
            A[i, j] = (2 * i + 1) * (-1 if i < j else (-1.0) ** (i - j + 1))
        B[i, 0] = (2 * i + 1) * (-1.0) ** i
    system = A / theta, B / theta, np.zeros((1, d)), np.zeros((1, 1))
    discrete: Any = cont2discrete(system, dt=1.0, method=method)
    return discrete[0], discrete[1][:, 0]


def reference(cell, p, xs, state):
    W_x, W_h, W_m, b = p["w"]["h"], p["u"]["h"], p["w_m"], p["b"]["h"]
    e_x, e_h, e_m = p["e"]["x"], p["e"]["h"], p["e"]["m"]
    A, B = matrices(cell.order, cell.theta, cell.discretization)
    h, m, ys = state["h"], state["m"], []
    for x in xs:
        u = e_x @ x + e_h @ h + e_m @ m
        m = A @ m + B * u
        h = np.tanh(W_x @ x + W_h @ h + W_m @ m + b)
        ys.append(h)
    return np.array(ys), {"h": h, "m": m}
