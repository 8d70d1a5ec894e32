"""Campos et al. 2018, section 3.1, in the form of the authors' code (skiprnn-2017-telecombcn,
src/rnn_cells/skip_rnn_cells.py, SkipLSTMCell); the cell is the LSTM of Gers et al. 2000. `used` sums up the update
gates."""

import numpy as np

from references import sigmoid


def reference(cell, p, xs, state):
    W, U, b = p["w"], p["u"], p["b"]
    w_p, b_p = p["skip"]["w"], p["skip"]["b"] if cell.bias else 0.0
    h, c, ys = state["h"], state["c"], []
    update_prob, cum_update_prob, used = state["update"], state["cum"], state["used"]
    for x in xs:
        i = sigmoid(W["i"] @ x + U["i"] @ h + b["i"])
        f = sigmoid(W["f"] @ x + U["f"] @ h + b["f"])
        o = sigmoid(W["o"] @ x + U["o"] @ h + b["o"])
        g = np.tanh(W["g"] @ x + U["g"] @ h + b["g"])
        new_c = f * c + i * g
        new_h = o * np.tanh(new_c)
        new_update_prob = sigmoid(w_p @ new_c + b_p)
        cum_update_prob = cum_update_prob + np.minimum(update_prob, 1 - cum_update_prob)
        u = np.round(cum_update_prob)
        c = u * new_c + (1 - u) * c
        h = u * new_h + (1 - u) * h
        update_prob = u * new_update_prob + (1 - u) * update_prob
        cum_update_prob = u * 0 + (1 - u) * cum_update_prob
        used = used + u
        ys.append(h)
    return np.array(ys), {"h": h, "c": c, "update": update_prob, "cum": cum_update_prob, "used": used}
