"""Costa et al. 2017, subLSTM and fix-subLSTM; neuralml/pytorch-subLSTM, functional.py (slstm_cell, fslstm_cell)."""

import numpy as np

from references import sigmoid

FIELDS = [{"fixed_forget": True}]


def reference(cell, p, xs, state):
    W, R, b = p["w"], p["u"], p["b"]
    c, h, ys = state["c"], state["h"], []
    for x in xs:
        i = sigmoid(W["i"] @ x + R["i"] @ h + b["i"])
        o = sigmoid(W["o"] @ x + R["o"] @ h + b["o"])
        z = sigmoid(W["z"] @ x + R["z"] @ h + b["z"])
        if cell.fixed_forget:
            f = np.clip(p["f"], 0, 1)
        else:
            f = sigmoid(W["f"] @ x + R["f"] @ h + b["f"])
        c = c * f + z - i
        h = sigmoid(c) - o
        ys.append(h)
    return np.array(ys), {"c": c, "h": h}
