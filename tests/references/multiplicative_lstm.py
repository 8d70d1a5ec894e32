"""Krause et al. 2016, in the form of the authors' code (mLSTM): chainer/mLSTMWN.py, mLSTM, without weight norm."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    Wmx, Wmh = p["w"]["m"], p["u"]["m"]
    Whx, Whm, b = p["w"], p["u"], p["b"]
    h, c, ys = state["h"], state["c"], []
    for x in xs:
        m = (Wmx @ x) * (Wmh @ h)
        a = Whx["g"] @ x + Whm["g"] @ m + b["g"]
        i = Whx["i"] @ x + Whm["i"] @ m + b["i"]
        f = Whx["f"] @ x + Whm["f"] @ m + b["f"]
        o = Whx["o"] @ x + Whm["o"] @ m + b["o"]
        c = np.tanh(a) * sigmoid(i) + sigmoid(f) * c
        h = sigmoid(o) * np.tanh(c)
        ys.append(h)
    return np.array(ys), {"h": h, "c": c}
