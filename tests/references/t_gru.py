"""Balduzzi & Ghifary 2016, section 3.3: the strongly-typed GRU, as RecurrentLayers.jl (TGRU) quotes it; tau is tanh."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, V, b = p["w"], p["v"], p["b"]
    h, x_before, ys = state["h"], state["x"][0], []
    for x in xs:
        z = V["z"] @ x_before + W["z"] @ x + b["z"]
        f = sigmoid(V["f"] @ x_before + W["f"] @ x + b["f"])
        o = np.tanh(V["o"] @ x_before + W["o"] @ x + b["o"])
        h = f * h + z * o
        x_before = x
        ys.append(h)
    return np.array(ys), {"h": h, "x": x_before[None]}
