"""How far back a gradient reaches: the gradient of the last output by the input of each step before it."""

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.run import run
from rnnzoo.typing import Array, Float, Key, Params


def gradient_by_lag(cell: Cell, params: Params, xs: Float[Array, "T B I"], key: Key) -> Float[np.ndarray, " T"]:
    """The gradient norm of the last output by the input `lag` steps earlier, for lag = 0, 1, ..., T - 1.

    The output is projected on a random direction, drawn with `key`; the norm is over features, and its square is
    averaged over the batch. The rate at which the result falls with the lag is the memory that training can use
    (Hochreiter 1991; Bengio et al. 1994, doi:10.1109/72.279181)."""

    def last_output(xs: Array) -> Array:
        ys, _ = run(cell, params, xs)
        return (ys[-1] * jax.random.normal(key, ys.shape[2:], ys.dtype)).sum()

    gradient = jax.jit(jax.grad(last_output))(xs)
    norms = jnp.sqrt((gradient**2).sum(range(2, gradient.ndim)).mean(1))
    return np.asarray(norms)[::-1]


__all__ = ["gradient_by_lag"]
