"""Recurrent dropout with one mask over time (Gal & Ghahramani 2016). arXiv:1512.05287"""

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.noise import with_noise, without_noise
from rnnzoo.cells.recur import Recur, hearing
from rnnzoo.spec import Fraction, spec
from rnnzoo.typing import Key, Params, PyTree, State
from rnnzoo.wrappers.base import Wrapper, needs_structure


@spec
class VariationalDropout(Wrapper):
    """In training, every recurrent product U v of `cell` becomes::

        U (m * v)             m (H,) is 1 / (1 - rate) with probability 1 - rate, else 0

    with one m for a sequence: the same at all steps and for all gates (the paper's tied weights). In evaluation it
    is U v, as the paper's weight averaging has it. The paper's mask on the inputs x_t is an ordinary dropout with one
    mask over time and is not part of this. Parameters are those of `cell`."""

    cell: Cell = LSTM(hidden_size=1)
    """The cell whose recurrent products are under dropout."""
    rate: Fraction = 0.25
    """Probability of dropping a unit."""

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_structure(self)

    def noise(self, key: Key, time: int) -> PyTree:
        key, inner_key = jax.random.split(key)
        heard = jax.random.bernoulli(key, 1 - self.rate, (self.hidden_size,))
        # Repeat the mask at every step: per-sequence noise can only reach `step` as a (T, ...) leaf of the controls.
        return {
            "heard": jnp.broadcast_to(heard, (time, self.hidden_size)),
            "cell": super().noise(inner_key, time),
        }

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        z_t, noise_t = without_noise(z_t)
        if noise_t is None:
            return self.cell.step(params, state, z_t, recur)
        mask = noise_t["heard"] / max(1 - self.rate, 1e-9)  # at rate 1 all units are dropped, and 0 / 0 is not
        inner = with_noise(z_t, noise_t["cell"])
        return self.cell.step(params, state, inner, hearing(recur, lambda v: (mask * v).astype(v.dtype)))
