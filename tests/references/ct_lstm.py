"""Mei & Eisner 2017, section 3.2, as in the first author's code (neurawkes): modules/models.py, NeuralHawkesCTLSTM."""

import numpy as np

from references import sigmoid


def soft_relu(x):
    return np.where(x >= 100, x, np.log(1 + np.exp(np.minimum(x, 100))))


def reference(cell, p, xs, state, dts=None):
    W, U, b = p["w"], p["u"], p["b"]
    c, target, decay, o, ys = state["c"], state["e"], state["d"], state["o"], []
    for x, dt in zip(xs, np.ones(len(xs)) if dts is None else dts, strict=True):
        c = target + (c - target) * np.exp(-decay * dt)
        h = o * np.tanh(c)
        i, f, o, j, k = (sigmoid(W[g] @ x + U[g] @ h + b[g]) for g in ("i", "f", "o", "j", "k"))
        z = np.tanh(W["g"] @ x + U["g"] @ h + b["g"])
        decay = soft_relu(W["d"] @ x + U["d"] @ h + b["d"])
        c = f * c + i * z
        target = k * target + j * z
        ys.append(o * np.tanh(c))
    return np.array(ys), {"c": c, "e": target, "d": decay, "o": o}
