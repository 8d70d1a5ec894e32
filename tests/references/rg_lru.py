"""De et al. 2024, equations 1 to 4, in the form of the authors' code: RGLRU and BlockDiagonalLinear of
recurrentgemma/jax/layers.py, past the first position but with `undamped_start`; with `complex`, its only_real=False."""

import numpy as np

from references import sigmoid

FIELDS = [
    {"heads": 3},
    {"heads": 3, "undamped_start": True},
    {"heads": 2, "c": 2.0},
    {"complex": True},
    {"complex": True, "heads": 3},
    {"complex": True, "heads": 3, "bias": False},
    {"heads": 3, "bias": False},
    {"heads": 3, "projected": False},
    {"complex": True, "projected": False, "bias": False},
]


def block_diagonal(w, x, bias):
    parts = np.split(x, len(w))
    return np.concatenate([block @ part for block, part in zip(w, parts, strict=True)]) + bias


def reference(cell, p, xs, state):
    half = cell.hidden_size // 2
    units = half if cell.complex else cell.hidden_size
    d = p.get("d", {"a": np.zeros(units), "i": np.zeros(units)})
    softplus = np.log(1 + np.exp(p["lambda"]))
    h, ys = state["h"], []
    past = state.get("z", {"past": np.ones((1, 1))})["past"]
    if cell.complex:
        h = h[:half] + 1j * h[half:]
    for x in xs:
        u = p["w"]["h"] @ x + p["b"]["h"] if cell.projected else x
        r = sigmoid(block_diagonal(p["v"]["a"], u, d["a"]))
        i = sigmoid(block_diagonal(p["v"]["i"], u, d["i"]))
        log_a = -cell.c * r * softplus
        gain = np.sqrt(1 - np.exp(2 * log_a))
        if cell.undamped_start:
            gain, past = np.where(past[0] == 0, 1, gain), np.ones((1, 1))
        if cell.complex:
            a = np.exp(log_a + 1j * p["theta"] * r)
            u = u[:half] + 1j * u[half:]
        else:
            a = np.exp(log_a)
        h = a * h + gain * (i * u)
        ys.append(np.concatenate([h.real, h.imag]) if cell.complex else h)
    return np.array(ys), {"h": ys[-1], **({"z": {"past": past}} if cell.undamped_start else {})}
