"""Balduzzi & Ghifary 2016, section 3.3: the strongly-typed LSTM, as RecurrentLayers.jl (TLSTM) quotes it; tau is
tanh."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, V, b = p["w"], p["v"], p["b"]
    c, x_before, ys = state["h"], state["x"][0], []
    for x in xs:
        z = V["z"] @ x_before + W["z"] @ x + b["z"]
        f = sigmoid(V["f"] @ x_before + W["f"] @ x + b["f"])
        o = np.tanh(V["o"] @ x_before + W["o"] @ x + b["o"])
        c = f * c + (1 - f) * z
        h = c * o
        x_before = x
        ys.append(h)
    return np.array(ys), {"h": c, "x": x_before[None]}
