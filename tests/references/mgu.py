"""Zhou et al. 2016, equations 7: its W_f and W_h act on [h, x]."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    Wf = np.concatenate([p["u"]["f"], p["w"]["f"]], 1)
    Wh = np.concatenate([p["u"]["n"], p["w"]["n"]], 1)
    bf, bh = p["b"]["f"], p["b"]["n"]
    h, ys = state["h"], []
    for x in xs:
        f = sigmoid(Wf @ np.concatenate([h, x]) + bf)
        candidate = np.tanh(Wh @ np.concatenate([f * h, x]) + bh)
        h = (1 - f) * h + f * candidate
        ys.append(h)
    return np.array(ys), {"h": h}
