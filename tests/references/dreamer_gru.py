"""Hafner et al. 2025, as in the authors' code (danijar/dreamerv3, dreamerv3/rssm.py: RSSM._core; embodied/jax/nets.py:
Linear, BlockLinear, Norm with rms): deter from deter and one input, maps of blocks as dense matrices."""

import numpy as np

from references import sigmoid

FIELDS = [{"units": 4, "layers": 3}, {"layers": 2}]


def silu(a):
    return a * sigmoid(a)


def norm(a, scale):
    return a / np.sqrt(np.mean(a**2) + 1e-4) * scale


def reference(cell, p, xs, state):
    U, b, s = p["u"], p["b"], p["s"]
    deter, ys = state["h"], []
    for x_t in xs:
        x0 = silu(norm(p["v"] @ deter + b["d"], s["d"]))
        x1 = silu(norm(p["w"]["e"] @ x_t + b["e"], s["e"]))
        x = U["l1"] @ deter + p["p"] @ x0 + p["q"] @ x1 + b["l1"]
        x = silu(norm(x, s["l1"]))
        for i in range(2, cell.layers + 1):
            x = silu(norm(U[f"l{i}"] @ x + b[f"l{i}"], s[f"l{i}"]))
        reset = sigmoid(U["r"] @ x + b["r"])
        cand = np.tanh(reset * (U["n"] @ x + b["n"]))
        update = sigmoid(U["z"] @ x + b["z"] - 1)
        deter = update * cand + (1 - update) * deter
        ys.append(deter)
    return np.array(ys), {"h": deter}
