"""Zoneout: units that keep their old value at random (Krueger et al. 2017). arXiv:1606.01305"""

import jax

from rnnzoo.cells.base import Cell
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.noise import with_noise, without_noise
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Fraction, spec
from rnnzoo.typing import Key, Params, PyTree, State
from rnnzoo.wrappers.base import Wrapper, needs_vectors, vector_shapes


@spec
class Zoneout(Wrapper):
    """For h and every other vector v of the state of `cell`, whose own step gives v_new::

        v_t = d_t * v_tm1 + (1 - d_t) * v_new                 in training: d_t is 1 with probability `rate`, else 0
        v_t = rate * v_tm1 + (1 - rate) * v_new               else, the expectation

    with a rate for h, and another for the others, such as c of an LSTM, whose h_new is that of the c_new before
    zoneout, as in the paper. d_t has the size of v, and is new for every number in it, step and sequence. Parameters
    are those of `cell`."""

    cell: Cell = LSTM(hidden_size=1)
    """The cell whose units zone out."""
    rate: Fraction = 0.05
    """Probability that a unit of h keeps its value."""
    memory_rate: Fraction = 0.5
    """Probability that a unit of another vector keeps its value."""

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_vectors(self)

    def _rate(self, name: str) -> float:
        return self.rate if name == "h" else self.memory_rate

    def noise(self, key: Key, time: int) -> PyTree:
        key, inner_key = jax.random.split(key)
        keys = zip(vector_shapes(self.cell), jax.random.split(key, len(self.carries)), strict=True)
        kept = {name: jax.random.bernoulli(k, self._rate(name), (time, *shape)) for (name, shape), k in keys}
        return {"kept": kept, "cell": super().noise(inner_key, time)}

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        z_t, noise_t = without_noise(z_t)
        if noise_t is None:
            kept = {name: self._rate(name) for name in self.carries}
        else:
            z_t, kept = with_noise(z_t, noise_t["cell"]), noise_t["kept"]
        new = self.cell.step(params, state, z_t, recur)
        return new | {name: d * state[name] + (1 - d) * new[name] for name, d in kept.items()}
