"""Zhang et al. 2018, as corrected by its authors (bzhangGo/ATR, README), with the bias of their cws/model.py."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, U, b = p["w"]["h"], p["u"]["h"], p["b"]["h"]
    h, ys = state["h"], []
    for x in xs:
        p_t = W @ x + b
        q_t = U @ h
        i = sigmoid(p_t + q_t)
        f = sigmoid(p_t - q_t)
        h = i * p_t + f * h
        ys.append(h)
    return np.array(ys), {"h": h}
