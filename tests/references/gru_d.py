"""Che et al. 2018, section "GRU-D": time intervals delta, decay rates gamma, inputs x-hat, state h-hat, and the gates.
An input that is NaN is missing. The empirical means are a field."""

import numpy as np

from references import sigmoid

FIELDS = [{"means": (0.5, -1.0, 2.0)}, {"means": (0.5, -1.0, 2.0), "bias": False}]


def reference(cell, p, xs, state, dts=None):
    W, U, V, b, decay = p["w"], p["u"], p["v"], p["b"], p["decay"]
    b_gamma = p.get("decay_b", {"x": 0.0, "h": 0.0})
    mean = np.array(cell.means) if cell.means else np.zeros(xs.shape[1])
    h, x_last, age, ys = state["h"], state["last"], state["age"], []
    for x, dt in zip(xs, np.ones(len(xs)) if dts is None else dts, strict=True):
        observed = ~np.isnan(x)
        m = observed.astype(float)
        delta = dt + age  # dt + delta_{t-1} where x_{t-1} is missing, dt where it is not
        gamma_x = np.exp(-np.maximum(0, decay["x"] * delta + b_gamma["x"]))
        gamma_h = np.exp(-np.maximum(0, decay["h"] @ delta + b_gamma["h"]))
        x_hat = np.where(observed, x, gamma_x * x_last + (1 - gamma_x) * mean)
        h_hat = gamma_h * h
        r = sigmoid(W["r"] @ x_hat + U["r"] @ h_hat + V["r"] @ m + b["r"])
        z = sigmoid(W["z"] @ x_hat + U["z"] @ h_hat + V["z"] @ m + b["z"])
        h_tilde = np.tanh(W["n"] @ x_hat + U["n"] @ (r * h_hat) + V["n"] @ m + b["n"])
        h = (1 - z) * h_hat + z * h_tilde
        x_last = np.where(observed, x, x_last)
        age = np.where(observed, 0, delta)
        ys.append(h)
    return np.array(ys), {"h": h, "last": x_last, "age": age}
