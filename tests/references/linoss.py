"""Rusch & Rus 2025, in the form of the authors' code: models/LinOSS.py of tk-rusch/linoss; damping as DampedIMEX1Layer
of jaredbmit/damped-linoss (Boyer et al. 2025). A full matrix D is ours."""

import numpy as np

from references import relu, sigmoid

FIELDS = [
    {"features": 3},
    {"bias": True},
    {"discretization": "imex"},
    {"discretization": "imex", "damping": True},
    {"discretization": "imex", "damping": True, "bias": True, "features": 2},
]


def reference(cell, p, xs, state, dts=None):
    half, N = cell.hidden_size // 2, len(p["a"])
    B, b, C, D = p["w"]["h"], p["b"]["h"][:half], p["c"], p["d"]
    z, y = state["h"][:half], state["h"][half:]
    if cell.complex:
        B, b, C = B[:N] + 1j * B[N:], b[:N] + 1j * b[N:], C[:, :N] - 1j * C[:, N:]
        z, y = z[:N] + 1j * z[N:], y[:N] + 1j * y[N:]
    step = sigmoid(p["step"])
    if cell.damping:
        G = relu(p["g"])
        low = (2 + step * G - 2 * np.sqrt(1 + step * G)) / np.maximum(step**2, 1e-6)
        high = (2 + step * G + 2 * np.sqrt(1 + step * G)) / np.maximum(step**2, 1e-6)
        A = low + relu(p["a"] - low) - relu(p["a"] - high)
    else:
        A = relu(p["a"])
    ys = []
    for u, dt in zip(xs, np.ones(len(xs)) if dts is None else dts, strict=True):
        delta = step * dt
        Bu = B @ u + b
        if cell.damping:
            S = 1 + delta * G
            z, y = (
                z / S - delta / S * A * y + delta / S * Bu,
                delta / S * z + (1 - delta**2 / S * A) * y + delta**2 / S * Bu,
            )
        elif cell.discretization == "imex":
            z, y = (
                z - delta * A * y + delta * Bu,
                delta * z + (1 - delta**2 * A) * y + delta**2 * Bu,
            )
        else:
            schur = 1 / (1 + delta**2 * A)
            M_11, M_12 = 1 - delta**2 * A * schur, -delta * A * schur
            M_21, M_22 = delta * schur, schur
            z, y = M_11 * z + M_12 * y + M_11 * delta * Bu, M_21 * z + M_22 * y + M_21 * delta * Bu
        ys.append((C @ y).real + D @ u)
    last = [z.real, z.imag, y.real, y.imag] if cell.complex else [z, y]
    return np.array(ys), {"h": np.concatenate(last)}
