"""Smith et al. 2023, sections 2 and 3.2, in the form of the authors' code: s5/ssm.py of lindermanlab/S5 with
conj_sym=True, where a full matrix D and an input bias are ours."""

import numpy as np

FIELDS = [
    {"features": 3},
    {"bias": True},
    {"discretization": "bilinear"},
    {"clip": True},
    {"discretization": "bilinear", "clip": True, "bias": True, "features": 2},
]


def discretize(cell, Lambda, Delta):
    """Lambda_bar, and the factor of B_tilde in B_bar."""
    if cell.discretization == "zoh":
        Lambda_bar = np.exp(Lambda * Delta)
        return Lambda_bar, (Lambda_bar - 1) / Lambda
    BL = 1 / (1 - Delta / 2 * Lambda)
    return BL * (1 + Delta / 2 * Lambda), BL * Delta


def reference(cell, p, xs, state, dts=None):
    P = cell.hidden_size // 2
    real = np.minimum(p["re"], -1e-4) if cell.clip else p["re"]
    Lambda = real + 1j * p["im"]
    B = p["w"]["h"][:P] + 1j * p["w"]["h"][P:]
    b = p["b"]["h"][:P] + 1j * p["b"]["h"][P:]
    C = p["c"][:, :P] - 1j * p["c"][:, P:]
    D = p["d"]
    x, ys = state["h"][:P] + 1j * state["h"][P:], []
    for u, dt in zip(xs, np.ones(len(xs)) if dts is None else dts, strict=True):
        Lambda_bar, gain = discretize(cell, Lambda, np.exp(p["step"]) * dt)
        x = Lambda_bar * x + gain * (B @ u + b)
        ys.append(2 * (C @ x).real + D @ u)
    return np.array(ys), {"h": np.concatenate([x.real, x.imag])}
