"""Sutskever et al. 2011, the factored MRNN with as many factors as units, in the symbols of Krause et al. 2016."""

import numpy as np


def reference(cell, p, xs, state):
    W_hx, W_hm, b = p["w"]["h"], p["u"]["h"], p["b"]["h"]
    W_mx, W_mh = p["multiplicative"]["w"], p["multiplicative"]["u"]["m"]
    h, ys = state["h"], []
    for x in xs:
        m = (W_mx @ x) * (W_mh @ h)
        h = np.tanh(W_hx @ x + W_hm @ m + b)
        ys.append(h)
    return np.array(ys), {"h": h}
