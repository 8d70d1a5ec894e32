"""Gu et al. 2022, section 3, as in the authors' code (state-spaces/s4, models/s4/s4.py, SSMKernelDiag: `_setup_step`
and `step`), with Im A of the sign in models/s4/s4d.py, and its skip D."""

import numpy as np

FIELDS = [{"pairs": 3}, {"pairs": 3, "discretization": "bilinear"}, {"pairs": 2, "elapsed": True}]


def reference(cell, p, xs, state, dts=None):
    W, b, D = p["w"]["h"], p["b"]["h"], p["d"]
    A = -np.exp(p["a_re"]) + 1j * p["a_im"]
    B, C = p["b_re"] + 1j * p["b_im"], p["c_re"] + 1j * p["c_im"]
    real, imaginary = np.split(state["h"], 2)
    h, ys = (real + 1j * imaginary).reshape(A.shape), []
    for x, elapsed in zip(xs, np.ones(len(xs)) if dts is None else dts, strict=True):
        dt = np.exp(p["step"])[:, None] * (elapsed if cell.elapsed else 1)
        dtA = dt * A
        if cell.discretization == "zoh":
            dA = np.exp(dtA)
            dB = B * (np.exp(dtA) - 1) / A
        else:
            dA = (1 + dtA / 2) / (1 - dtA / 2)
            dB = B * dt / (1 - dtA / 2)
        u = W @ x + b
        h = dA * h + dB * u[:, None]
        ys.append(2 * (C * h).sum(1).real + D * u)
    return np.array(ys), {"h": np.concatenate([h.real.ravel(), h.imag.ravel()])}
