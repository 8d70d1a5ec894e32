"""Neil et al. 2016, in the form of the first author's code (public_plstm): plstm.py, PLSTMLayer."""

import numpy as np

from references import sigmoid

FIELDS = [{"leak": 0.0}, {"leak": 0.5}]


def time_gate(t, p, leak):
    period, shift, on_end = np.abs(p["tau"]), p["s"], np.abs(p["r"])
    phase = np.mod(t + shift, period)
    up = phase / (0.5 * on_end * period)
    down = (on_end * period - phase) / (0.5 * on_end * period)
    closed = leak * phase / period
    return np.where(phase <= 0.5 * on_end * period, up, np.where(phase <= on_end * period, down, closed))


def reference(cell, p, xs, state, dts=None):
    W, U, b, peephole = p["w"], p["u"], p["b"], p["p"]
    h, c, t, ys = state["h"], state["c"], state["t"], []
    for x, dt in zip(xs, np.ones(len(xs)) if dts is None else dts, strict=True):
        t = t + dt
        i = sigmoid(W["i"] @ x + U["i"] @ h + b["i"] + peephole["i"] * c)
        f = sigmoid(W["f"] @ x + U["f"] @ h + b["f"] + peephole["f"] * c)
        proposed_c = f * c + i * np.tanh(W["g"] @ x + U["g"] @ h + b["g"])
        o = sigmoid(W["o"] @ x + U["o"] @ h + b["o"] + peephole["o"] * proposed_c)
        proposed_h = o * np.tanh(proposed_c)
        k = time_gate(t, p, cell.leak)
        c = k * proposed_c + (1 - k) * c
        h = k * proposed_h + (1 - k) * h
        ys.append(h)
    return np.array(ys), {"h": h, "c": c, "t": t}
