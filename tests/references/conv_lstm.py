"""Shi et al. 2015, equation 3; zeros around the picture."""

import numpy as np

from references import sigmoid

FIELDS = [
    {"peephole": False},
    {"shape": (6,)},
    {"shape": (3,), "kernel": 2},
    {"shape": (2, 3), "input_kernel": 1},
    {"shape": (3,), "channels": 2, "kernel": 5},
    {"shape": (2, 3), "bias": False},
]


def convolve(w, x, shape):
    """Cross-correlation of a picture x (*shape, I) with w (C, k, ..., k, I): (*shape, C)."""
    y = np.zeros((*shape, w.shape[0]))
    sizes = w.shape[1:-1]
    for place in np.ndindex(*shape):
        for d in np.ndindex(*sizes):
            source = tuple(a + j - (k - 1) // 2 for a, j, k in zip(place, d, sizes, strict=True))
            if all(0 <= a < n for a, n in zip(source, shape, strict=True)):
                y[place] += w[(slice(None), *d)] @ x[source]
    return y


def from_inputs(cell, p, gate, x):
    """W * X + b at all places, flat."""
    y = convolve(p["w"][gate], x, cell.shape)
    return (y + p["b"][gate] if cell.bias else y).reshape(-1)


def reference(cell, p, xs, state):
    U = p["u"]
    peephole = p["peephole"] if cell.peephole else {"i": 0.0, "f": 0.0, "o": 0.0}
    H, C, ys = state["h"], state["c"], []
    for X in xs:
        a = {gate: from_inputs(cell, p, gate, X) + U[gate] @ H for gate in "ifgo"}
        i = sigmoid(a["i"] + peephole["i"] * C)
        f = sigmoid(a["f"] + peephole["f"] * C)
        C = f * C + i * np.tanh(a["g"])
        o = sigmoid(a["o"] + peephole["o"] * C)
        H = o * np.tanh(C)
        ys.append(H)
    return np.array(ys), {"h": H, "c": C}
