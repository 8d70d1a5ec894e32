"""Beck et al. 2024, equations 19 to 27 with the stabiliser of equations 15 to 17, as in the authors' code
(NX-AI/xlstm, xlstm/blocks/mlstm/backends.py, `recurrent_step_stabilized_simple`)."""

import numpy as np

from references import sigmoid
from references._parts import heads

FIELDS = [{"heads": 2, "key_size": 5}, {"heads": 3, "eps": 0.1}]


def reference(cell, p, xs, state):
    W, b, N = p["w"], p["b"], cell.heads
    V = cell.hidden_size // N
    C, n, m, ys = state["s"][:, :, :V], state["s"][:, :, V], state["m"], []
    d = C.shape[1]
    for x in xs:
        q = heads(W["q"] @ x + b["q"], N)
        k = heads((W["k"] @ x + b["k"]) / np.sqrt(d), N)
        v = heads(W["v"] @ x + b["v"], N)
        o = sigmoid(W["o"] @ x + b["o"])
        i = W["i"] @ x + b["i"]
        log_f = np.log(sigmoid(W["f"] @ x + b["f"]))
        m_before, m = m, np.maximum(log_f + m, i)
        i_dash = np.exp(i - m)
        f_dash = np.exp(log_f + m_before - m)
        C = np.array([f_dash[j] * C[j] + i_dash[j] * np.outer(k[j], v[j]) for j in range(N)])
        n = np.array([f_dash[j] * n[j] + i_dash[j] * k[j] for j in range(N)])
        denominator = [max(abs(n[j] @ q[j]), np.exp(-m[j])) + cell.eps for j in range(N)]
        h = np.concatenate([q[j] @ C[j] / denominator[j] for j in range(N)])
        ys.append(o * h)
    return np.array(ys), {"s": np.concatenate([C, n[:, :, None]], axis=-1), "m": m}
