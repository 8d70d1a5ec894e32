"""HgruRealV6 of the authors' code, hgrureal1d.py of Doraemonzzz/hgru-pytorch: forward_naive, without norm and output
projection."""

import numpy as np

from references import sigmoid

FIELDS = [{"gated": False}, {"lower_bound": 0.3}]


def silu(a):
    return a * sigmoid(a)


def reference(cell, p, xs, state):
    W, b = p["w"], p["b"]
    hidden, ys = state["h"], []
    for x in xs:
        inp = silu(W["n"] @ x + b["n"])
        gate = silu(W["o"] @ x + b["o"])
        lam = cell.lower_bound + (1 - cell.lower_bound) * sigmoid(W["f"] @ x + b["f"])
        hidden = lam * hidden + (1 - lam) * inp
        ys.append(hidden * gate if cell.gated else hidden)
    return np.array(ys), {"h": hidden}
