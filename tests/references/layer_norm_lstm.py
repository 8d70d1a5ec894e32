"""Ba et al. 2016, supplementary material (LSTM), as in the second author's layer-norm: layers.py, lnlstm_layer."""

import numpy as np

from references import sigmoid

FIELDS = [{"epsilon": 0.1}]


def ln(x, b, s, eps):
    return s * (x - x.mean()) / np.sqrt(x.var() + eps) + b


def reference(cell, p, xs, state):
    def all_gates(of):
        return np.concatenate([of["i"], of["f"], of["o"], of["g"]])

    W, U, b = all_gates(p["w"]), all_gates(p["u"]), all_gates(p["b"])
    s1, s2, s3, b3 = all_gates(p["alpha"]["x"]), all_gates(p["alpha"]["h"]), p["alpha"]["c"], p["beta"]
    h, c, ys = state["h"], state["c"], []
    for x in xs:
        preact = ln(U @ h, 0, s2, cell.epsilon) + ln(W @ x, 0, s1, cell.epsilon) + b
        i, f, o, g = np.split(preact, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(ln(c, b3, s3, cell.epsilon))
        ys.append(h)
    return np.array(ys), {"h": h, "c": c}
