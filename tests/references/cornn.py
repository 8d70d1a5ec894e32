"""Rusch and Mishra 2021 with explicit damping, as in the authors' code (tk-rusch/coRNN, adding/model.py: coRNNCell).

Frequencies and damping of each unit, and no matrix on velocities: Ceni et al. 2024, as in the authors' code
(AndreaCossu/RandomizedCoupledOscillators, utils.py: coRNNCell with no_friction, and coESN.cell).
"""

import numpy as np

FIELDS = [
    {"gamma_range": 0.5},
    {"gamma_range": 0.5, "epsilon_range": 0.0, "hears_velocity": False},
    {"epsilon_range": 1.0, "step_size": 0.3},
    {"hears_velocity": False, "gamma": 1.0, "epsilon": 0.5},
]


def reference(cell, p, xs, state, dts=None):
    V, b = p["w"]["y"], p["b"]["y"]
    gamma = cell.gamma if cell.gamma_range is None else p["gamma"]
    epsilon = cell.epsilon if cell.epsilon_range is None else p["epsilon"]
    hy, hz, ys = state["y"], state["v"], []
    for x, elapsed in zip(xs, np.ones(len(xs)) if dts is None else dts, strict=True):
        dt = cell.step_size * elapsed
        a = p["u"]["y"] @ hy + V @ x + b
        if cell.hears_velocity:
            a = a + p["u"]["v"] @ hz
        hz = hz + dt * (np.tanh(a) - gamma * hy - epsilon * hz)
        hy = hy + dt * hz
        ys.append(hy)
    return np.array(ys), {"y": hy, "v": hz}
