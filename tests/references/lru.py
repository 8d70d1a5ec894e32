"""Orvieto et al. 2023, appendix A, in complex numbers."""

import numpy as np

FIELDS = [{"features": 3}, {"bias": True}]


def reference(cell, p, xs, state):
    units = len(p["nu"])
    B = p["w"]["h"][:units] + 1j * p["w"]["h"][units:]
    b = p["b"]["h"][:units] + 1j * p["b"]["h"][units:]
    C = p["c"][:, :units] - 1j * p["c"][:, units:]
    D = p["d"]
    decay = np.exp(-np.exp(p["nu"]) + 1j * np.exp(p["theta"]))
    gamma = np.exp(p["gamma"])
    h, ys = state["h"][:units] + 1j * state["h"][units:], []
    for x in xs:
        h = decay * h + gamma * (B @ x + b)
        ys.append((C @ h).real + D @ x)
    return np.array(ys), {"h": np.concatenate([h.real, h.imag])}
