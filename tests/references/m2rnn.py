"""arXiv:2603.14360, in the form of the authors' code: lm-engine, sequence_mixer_blocks/m2rnn/op.py (m2rnn_torch) and
module.py (M2RNN.forward from the input projection to use_residual), softplus_decay_gate/module.py."""

import numpy as np

FIELDS = [
    {"heads": 2},
    {"heads": 2, "key_size": 5, "shared_keys": True},
    {"heads": 3, "skip": False},
    {"key_size": 1},
    {"heads": 3, "shared_keys": True, "bias": False},
]


def reference(cell, p, xs, state):
    h, ys = state["s"], []
    N, K, V = h.shape
    W = [p["transition"][n].T for n in range(N)]  # state_weight

    def projection(gate, x, size):
        y = p["w"][gate] @ x
        if cell.bias:
            y = y + p["b"][gate]
        y = y.reshape(-1, size)
        return np.repeat(y, N // len(y), axis=0)

    for x in xs:
        q = projection("q", x, K)
        k = projection("k", x, K)
        v = projection("v", x, V)
        softplus = np.logaddexp(0, p["w"]["f"] @ x + p["decay"]["dt"])
        f = np.exp(-np.exp(p["decay"]["a"]) * softplus)
        h_new, y = np.zeros((N, K, V)), np.zeros((N, V))
        for n in range(N):
            candidate = np.tanh(h[n] @ W[n] + np.outer(k[n], v[n]))
            h_new[n] = f[n] * h[n] + (1 - f[n]) * candidate
            y[n] = q[n] @ h_new[n]
            if cell.skip:
                y[n] = y[n] + v[n] * p["d"][n]
        h = h_new
        ys.append(y.reshape(-1))
    return np.array(ys), {"s": h}
