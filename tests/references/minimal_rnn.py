"""Chen 2017, MinimalRNN, with one fully connected layer as Phi."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W_x, U_h, U_z = p["w"]["z"], p["u"]["u"], p["v"]
    b_z, b_u = (p["b"]["z"], p["b"]["u"]) if cell.bias else (0, 0)
    h, ys = state["h"], []
    for x in xs:
        z = np.tanh(W_x @ x + b_z)
        u = sigmoid(U_h @ h + U_z @ z + b_u)
        h = u * h + (1 - u) * z
        ys.append(h)
    return np.array(ys), {"h": h}
