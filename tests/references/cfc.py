"""Hasani et al. 2022, in the form of the authors' code (ncps): heads ff1, ff2, time_a, time_b; mode "pure" has ff1,
w_tau and A."""

import numpy as np

from references import sigmoid

FIELDS = [{"mode": "no-gate"}, {"mode": "pure"}]


def reference(cell, p, xs, state, dts=None):
    W, U, b = p["w"], p["u"], p["b"]
    h, ys = state["h"], []
    for x, dt in zip(xs, np.ones(len(xs)) if dts is None else dts, strict=True):
        if cell.mode == "pure":
            ff1 = W["a"] @ x + U["a"] @ h + b["a"]
            h = -p["A"] * np.exp(-dt * (np.abs(p["tau"]) + np.abs(ff1))) * ff1 + p["A"]
            ys.append(h)
            continue
        ff1 = np.tanh(W["a"] @ x + U["a"] @ h + b["a"])
        ff2 = np.tanh(W["b"] @ x + U["b"] @ h + b["b"])
        t_a = W["s"] @ x + U["s"] @ h + b["s"]
        t_b = W["r"] @ x + U["r"] @ h + b["r"]
        t_interp = sigmoid(t_a * dt + t_b)
        h = ff1 + t_interp * ff2 if cell.mode == "no-gate" else ff1 * (1 - t_interp) + t_interp * ff2
        ys.append(h)
    return np.array(ys), {"h": h}
