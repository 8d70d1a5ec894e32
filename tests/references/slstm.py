"""Beck et al. 2024, in the form of the authors' code (xlstm): xlstm/blocks/slstm/src/vanilla/slstm.py.

Whether n is 0, as before the first step, is asked of each unit.
"""

import numpy as np

from references import sigmoid
from references._parts import through_blocks

FIELDS = [{"input_blocks": 3}]


def reference(cell, p, xs, state):
    W, R, b = p["w"], p["u"], p["b"]
    y, c, n, m, ys = state["h"], state["c"], state["n"], state["m"], []
    for x in xs:
        iraw, fraw, zraw, oraw = (through_blocks(W[k], x) + R[k] @ y + b[k] for k in "ifzo")
        logfplusm = m + np.log(sigmoid(fraw))
        m = np.where(n == 0, iraw, np.maximum(iraw, logfplusm))
        ogate = sigmoid(oraw)
        igate = np.minimum(np.exp(iraw - m), 1)
        fgate = np.minimum(np.exp(logfplusm - m), 1)
        c = fgate * c + igate * np.tanh(zraw)
        n = fgate * n + igate
        y = ogate * c / n
        ys.append(y)
    return np.array(ys), {"h": y, "c": c, "n": n, "m": m}
