"""Chang et al. 2019, section 3: the forward Euler step with diffusion; U is the whole W_h - W_h^T - gamma I.

Also in erichson/LipschitzRNN, models.py: RnnModels with model asymRNN.
"""

import numpy as np

FIELDS = [{"epsilon": 0.5}]


def reference(cell, p, xs, state):
    V_h, U, b_h = p["w"]["h"], p["u"]["h"], p["b"]["h"]
    h, ys = state["h"], []
    for x in xs:
        h = h + cell.epsilon * np.tanh(U @ h + V_h @ x + b_h)
        ys.append(h)
    return np.array(ys), {"h": h}
