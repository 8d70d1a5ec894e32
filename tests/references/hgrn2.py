"""Qin et al. 2024 (HGRN2), section 3, as in the first author's code (hgru2-pytorch, hgru2_pytorch/modules/hgru2_1d.py,
`forward_lesshead`) and, for the other activations, fla/layers/hgrn2.py."""

import numpy as np

from references import sigmoid
from references._parts import heads, silu

FIELDS = [
    {"heads": 2, "key_size": 5, "lower_bound": 0.3},
    {"heads": 3, "query": "silu", "value": "identity"},
    {"query": "silu", "lower_bound": 0.9},
    {"value": "identity", "heads": 2},
]


def reference(cell, p, xs, state):
    W, b, N = p["w"], p["b"], cell.heads
    S, ys = state["s"], []
    for x in xs:
        o = heads(W["o"] @ x + b["o"], N)
        o = sigmoid(o) if cell.query == "sigmoid" else silu(o)
        i = heads(W["i"] @ x + b["i"], N)
        i = silu(i) if cell.value == "silu" else i
        f = heads(sigmoid(W["f"] @ x + b["f"]), N)
        lambda_ = cell.lower_bound + (1 - cell.lower_bound) * f
        S = np.array([np.diag(lambda_[n]) @ S[n] + np.outer(1 - lambda_[n], i[n]) for n in range(N)])
        ys.append(np.concatenate([o[n] @ S[n] for n in range(N)]))
    return np.array(ys), {"s": S}
