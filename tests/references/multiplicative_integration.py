"""Wu et al. 2016, the general form: phi(alpha * Wx * Uz + beta_1 * Uz + beta_2 * Wx + b)."""

import numpy as np


def reference(cell, p, xs, state):
    W, U, b, mi = p["w"]["h"], p["u"]["h"], p["b"]["h"], {k: v["h"] for k, v in p["mi"].items()}
    h, ys = state["h"], []
    for x in xs:
        h = np.tanh(mi["alpha"] * (W @ x) * (U @ h) + mi["beta_u"] * (U @ h) + mi["beta_w"] * (W @ x) + b)
        ys.append(h)
    return np.array(ys), {"h": h}
