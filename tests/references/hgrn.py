"""Qin et al. 2023, the HRU, as stated in the README of OpenNLPLab/HGRN; the output gate's activation is that of the
authors' code, hgru1d.py of Doraemonzzz/hgru-pytorch. Without LayerNorm and output projection."""

import numpy as np

from references import sigmoid

FIELDS = [{"gated": False}, {"lower_bound": 0.3}]


def silu(a):
    return a * sigmoid(a)


def reference(cell, p, xs, state):
    W, b, d = p["w"], p["b"], cell.hidden_size // 2
    W_cr, W_ci, b_cr, b_ci = W["n"][:d], W["n"][d:], b["n"][:d], b["n"][d:]
    gamma = cell.lower_bound
    h, ys = state["h"][:d] + 1j * state["h"][d:], []
    for x in xs:
        c = silu(W_cr @ x + b_cr) + 1j * silu(W_ci @ x + b_ci)
        mu = sigmoid(W["f"] @ x + b["f"][:d])
        lam = gamma + (1 - gamma) * mu
        h = lam * np.exp(1j * p["theta"]) * h + (1 - lam) * c
        o = np.concatenate([h.real, h.imag])
        if cell.gated:
            g = silu(W["o"] @ x + b["o"])
            o = g * o
        ys.append(o)
    return np.array(ys), {"h": np.concatenate([h.real, h.imag])}
