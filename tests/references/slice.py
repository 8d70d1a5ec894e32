"""Walker et al. 2025, as in the authors' code (Benjamin-Walker/structured-linear-cdes, models/slcde.py, LinearCDE with
`diagonal`), without its bound, and from the state given."""

import numpy as np

FIELDS = [{"block": 3}, {"block": 2, "rate": 0.3}]


def reference(cell, p, xs, state):
    vf_A = np.vstack([p["b"]["a"], p["w"]["a"].T])  # the time channel comes first
    size = cell.block
    y, ys = state["h"], []
    for x in xs:
        inp = cell.rate * np.concatenate([[1], x])
        blocks = (inp @ vf_A).reshape(-1, size, size)
        change = [block @ part for block, part in zip(blocks, y.reshape(-1, size), strict=True)]
        y = y + np.concatenate(change)
        ys.append(y)
    return np.array(ys), {"h": y}
