"""Martin & Cundy 2018, in the form of the authors' code: gilr_layer and linear_surrogate_lstm of layers_new.py in
eamartin/parallelizing_linear_rnns."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    h_tilde, c, ys = state["s"], state["c"], []
    for x in xs:
        g = sigmoid(W["g"] @ x + b["g"])
        impulse = np.tanh(W["j"] @ x + b["j"])
        h_tilde = g * h_tilde + (1 - g) * impulse
        f = sigmoid(U["f"] @ h_tilde + W["f"] @ x + b["f"])
        i = sigmoid(U["i"] @ h_tilde + W["i"] @ x + b["i"])
        o = sigmoid(U["o"] @ h_tilde + W["o"] @ x + b["o"])
        z = np.tanh(U["n"] @ h_tilde + W["n"] @ x + b["n"])
        c = f * c + i * z
        ys.append(o * c)
    return np.array(ys), {"s": h_tilde, "c": c}
