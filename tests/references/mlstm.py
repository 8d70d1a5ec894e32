"""Beck et al. 2024, equations 19 to 27 with the stabiliser of equations 15 to 17, as in the authors' code
(NX-AI/xlstm, xlstm/blocks/mlstm/backends.py, `recurrent_step_stabilized_simple`)."""

import numpy as np

from references import sigmoid
from references._parts import heads, through_blocks

FIELDS = [
    {"heads": 2, "key_size": 5},
    {"heads": 2, "input_blocks": 3, "gates_read": "qkv", "outputs": "norm", "memory_bias": False},
    {"heads": 3, "eps": 0.1},
    {"heads": 2, "outputs": "norm and gate", "soft_cap": 0.7, "norm_eps": 0.1, "memory_bias": False},
    {"heads": 2, "outputs": "norm and gate", "input_bias": -10.0},
    {"heads": 3, "gates_read": "qkv", "bias": False},
]


def capped(a, cap):
    """xlstm_large/model.py, `soft_cap`."""
    return cap * np.tanh(a / cap) if cap else a


def reference(cell, p, xs, state):
    W, b, N = p["w"], p["b"], cell.heads
    V = cell.hidden_size // N
    C, n, m, ys = state["s"][:, :, :V], state["s"][:, :, V], state["m"], []
    d = C.shape[1]
    for x in xs:
        q, k, v = (through_blocks(W[g], x) + b.get(g, 0) for g in "qkv")
        read = x if cell.gates_read == "x" else np.concatenate([q, k, v])
        q, k, v = heads(q, N), heads(k / np.sqrt(d), N), heads(v, N)
        i = capped(W["i"] @ read + b["i"], cell.soft_cap)
        log_f = np.log(sigmoid(capped(W["f"] @ read + b["f"], cell.soft_cap)))
        m_before, m = m, np.maximum(log_f + m, i)
        i_dash = np.exp(i - m)
        f_dash = np.exp(log_f + m_before - m)
        C = np.array([f_dash[j] * C[j] + i_dash[j] * np.outer(k[j], v[j]) for j in range(N)])
        n = np.array([f_dash[j] * n[j] + i_dash[j] * k[j] for j in range(N)])
        denominator = [max(abs(n[j] @ q[j]), np.exp(-m[j])) + cell.eps for j in range(N)]
        h = [q[j] @ C[j] / denominator[j] for j in range(N)]
        if cell.outputs != "gate":
            h = [(part - part.mean()) / np.sqrt(part.var() + cell.norm_eps) for part in h]
        h = np.concatenate(h) * (1 if cell.outputs == "gate" else p["norm"]["scale"])
        ys.append(h if cell.outputs == "norm" else sigmoid(W["o"] @ x + b.get("o", 0)) * h)
    return np.array(ys), {"s": np.concatenate([C, n[:, :, None]], axis=-1), "m": m}
