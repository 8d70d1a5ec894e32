"""Chaotic series, integrated by the classical Runge-Kutta method with additions and multiplications alone: the same to
the last bit on every machine, where powers would differ and the difference grow."""

import functools

import numpy as np

INTERPOLATED = 10  # steps of the Mackey-Glass equation from one row to the next


@functools.cache
def mackey_glass(rows: int, tau: int, skipped: int = 1000) -> np.ndarray:
    """x (rows, 1) of dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t), from 1.2 on, one row for each unit of
    time; the first `skipped` are left out. A delayed value between two steps is the mean of theirs."""
    dt, delay = 1 / INTERPOLATED, tau * INTERPOLATED
    history = [1.2] * (delay + 1)

    def slope(x: float, x_delayed: float) -> float:
        square = x_delayed * x_delayed
        fourth = square * square
        return 0.2 * x_delayed / (1 + fourth * fourth * square) - 0.1 * x

    for _ in range((rows + skipped - 1) * INTERPOLATED):
        x, begin, end = history[-1], history[-1 - delay], history[-delay]
        middle = (begin + end) / 2
        k1 = slope(x, begin)
        k2 = slope(x + dt / 2 * k1, middle)
        k3 = slope(x + dt / 2 * k2, middle)
        k4 = slope(x + dt * k3, end)
        history.append(x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.array(history[delay::INTERPOLATED][skipped:])[:, None]


@functools.cache
def lorenz(rows: int, dt: float, skipped: int = 1000) -> np.ndarray:
    """x (rows, 1) of Lorenz' system with sigma 10, rho 28 and beta 8/3, from (1, 1, 1) on, one row for each `dt`; the
    first `skipped` are left out."""

    def slope(x: float, y: float, z: float) -> tuple[float, float, float]:
        return 10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z

    def ahead(state: tuple[float, ...], by: float, k: tuple[float, ...]) -> tuple[float, float, float]:
        return state[0] + by * k[0], state[1] + by * k[1], state[2] + by * k[2]

    state, found = (1.0, 1.0, 1.0), []
    for _ in range(rows + skipped):
        found.append(state[0])
        k1 = slope(*state)
        k2 = slope(*ahead(state, dt / 2, k1))
        k3 = slope(*ahead(state, dt / 2, k2))
        k4 = slope(*ahead(state, dt, k3))
        mean = tuple(a + 2 * b + 2 * c + d for a, b, c, d in zip(k1, k2, k3, k4, strict=True))
        state = ahead(state, dt / 6, mean)
    return np.array(found[skipped:])[:, None]


__all__ = ["lorenz", "mackey_glass"]
