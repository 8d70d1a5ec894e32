"""Terzic et al. 2025, as in the authors' JAX code (IBM/expressive-sparse-state-space-model,
time_series_JAX/models/PDSSM.py, PDSSMLayer), in complex numbers."""

import numpy as np

from references import sigmoid

FIELDS = [{"features": 2, "choices": 2}, {"bias": True}]


def softmax(a):
    return np.exp(a) / np.exp(a).sum()


def reference(cell, p, xs, state):
    N = len(p["magnitude"]["b"])
    B = p["w"]["h"][:N] + 1j * p["w"]["h"][N:]
    b = p["b"]["h"][:N] + 1j * p["b"]["h"][N:]
    C = p["c"][:, :N] - 1j * p["c"][:, N:]
    D = p["d"]
    h, ys = state["h"][:N] + 1j * state["h"][N:], []
    for x in xs:
        magnitude = sigmoid(p["magnitude"]["w"] @ x + p["magnitude"]["b"])
        phase = 2 * np.pi * sigmoid(p["phase"]["w"] @ x + p["phase"]["b"])
        diagonal = magnitude * np.exp(1j * phase)
        M = np.zeros((N, N))
        for s_k, M_k in zip(softmax(p["selector"] @ x), p["dictionary"], strict=True):
            M += s_k * M_k
        P = np.zeros((N, N))
        for column in range(N):
            P[np.argmax(M[:, column]), column] = 1
        h = P @ (diagonal * h) + B @ x + b
        ys.append((C @ h).real + D @ x)
    return np.array(ys), {"h": np.concatenate([h.real, h.imag])}
