"""Shen et al. 2019, in the form of the authors' code (Ordered-Neurons): ON_LSTM.py, ONLSTMCell."""

import numpy as np

from references import sigmoid

FIELDS = [{"chunk": 2}, {"chunk": 3}, {"chunk": 6}, {"chunk": 2, "bias": False}]


def cumsoftmax(x):
    return np.cumsum(np.exp(x) / np.exp(x).sum())


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    master_W, master_U = p["master"]["w"], p["master"]["v"]
    master_b = p["master"]["b"] if cell.bias else {"i": 0, "f": 0}
    h, c, ys = state["h"], state["c"].reshape(-1, cell.chunk), []
    for x in xs:
        ingate, forgetgate, g, outgate = (
            (W[k] @ x + U[k] @ h + b[k]).reshape(-1, cell.chunk) for k in ("i", "f", "g", "o")
        )
        master_i = 1 - cumsoftmax(master_W["i"] @ x + master_U["i"] @ h + master_b["i"])[:, None]
        master_f = cumsoftmax(master_W["f"] @ x + master_U["f"] @ h + master_b["f"])[:, None]
        overlap = master_f * master_i
        f = sigmoid(forgetgate) * overlap + (master_f - overlap)
        i = sigmoid(ingate) * overlap + (master_i - overlap)
        c = f * c + i * np.tanh(g)
        h = (sigmoid(outgate) * np.tanh(c)).reshape(-1)
        ys.append(h)
    return np.array(ys), {"h": h, "c": c.reshape(-1)}
