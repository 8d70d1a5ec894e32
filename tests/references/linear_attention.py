"""Katharopoulos et al. 2020, equations 16 to 20, with the epsilon of the authors' code (fast-transformers,
fast_transformers/recurrent/attention/self_attention/linear_attention.py)."""

import numpy as np

from references import relu
from references._parts import heads

FIELDS = [
    {"heads": 2, "key_size": 5},
    {"features": "relu"},
    {"features": "identity", "normalise": False, "heads": 3, "bias": True},
    {"normalise": False, "bias": True},
    {"normalise": False, "heads": 2, "key_size": 1},
    {"eps": 0.1},
    {"bias": True},
]


def elu_plus_one(a):
    return np.where(a > 0, a, np.exp(a) - 1) + 1


def identity(a):
    return a


def reference(cell, p, xs, state):
    W, b, N = p["w"], p["b"], cell.heads
    phi = {"elu": elu_plus_one, "relu": relu, "identity": identity}[cell.features]
    V = cell.hidden_size // N
    S, Z, ys = state["s"][:, :, :V], state["s"][:, :, V:], []
    for x in xs:
        Q = phi(heads(W["q"] @ x + b["q"], N))
        K = phi(heads(W["k"] @ x + b["k"], N))
        values = heads(W["v"] @ x + b["v"], N)
        S = np.array([S[n] + np.outer(K[n], values[n]) for n in range(N)])
        numerator = np.array([Q[n] @ S[n] for n in range(N)])
        if cell.normalise:
            Z = np.array([Z[n] + K[n][:, None] for n in range(N)])
            numerator = np.array([numerator[n] / (Q[n] @ Z[n] + cell.eps) for n in range(N)])
        ys.append(numerator.ravel())
    return np.array(ys), {"s": np.concatenate([S, Z], axis=-1)}
