"""Peng et al. 2023, section 3.1, in the form of the authors' code (RWKV-LM, RWKV-v4/src/model.py, RWKV_TimeMix: xk),
before h = tanh(W x + b + U h)."""

import numpy as np


def reference(cell, p, xs, state):
    W, U, b, time_mix = p["w"]["h"], p["u"]["h"], p["b"]["h"], p["mix"]
    h, xx, ys = state["h"], state["x"][0], []
    for x in xs:
        xk = x * time_mix + xx * (1 - time_mix)
        h = np.tanh(W @ xk + b + U @ h)
        xx = x
        ys.append(h)
    return np.array(ys), {"h": h, "x": xx[None]}
