"""Zoneout: units that keep their old value at random (Krueger et al. 2017). arXiv:1606.01305"""

import jax
import jax.numpy as jnp

from rnnzoo.base import Cell, spec
from rnnzoo.cells.lstm import LSTM
from rnnzoo.noise import Disturbed, parts
from rnnzoo.registry import Fraction
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State
from rnnzoo.wrappers.base import Wrapper, needs_vectors


@spec
class Zoneout(Wrapper):
    """For h and every other vector v of the state of `cell`, whose own step gives v_new::

        v_t = d_t * v_tm1 + (1 - d_t) * v_new                 in training: d_t is 1 with probability `rate`, else 0
        v_t = rate * v_tm1 + (1 - rate) * v_new               else, the expectation

    with a rate for h, and another for the others, such as c of an LSTM, whose h_new is that of the c_new before
    zoneout, as in the paper. d_t is new for every unit, step and sequence. Parameters are those of `cell`."""

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

    def disturb(self, key: Key, zs: PyTree) -> PyTree:
        key, inner_key = jax.random.split(key)
        leaf = jax.tree.leaves(zs)[0]
        keys = zip(self.carries, jax.random.split(key, len(self.carries)), strict=True)
        shape, dtype = (leaf.shape[0], self.hidden_size), jnp.result_type(*jax.tree.leaves(zs))
        kept = {name: jax.random.bernoulli(k, self._rate(name), shape).astype(dtype) for name, k in keys}
        return Disturbed(super().disturb(inner_key, zs), kept)

    def step(self, params: Params, state: State, z_t: PyTree) -> State:
        inner, kept = parts(z_t)
        kept = {name: self._rate(name) for name in self.carries} if kept is None else kept
        new = self.cell.step(params, state, inner)
        return new | {name: d * state[name] + (1 - d) * new[name] for name, d in kept.items()}

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return self.cell.readout(params, state, parts(z_t)[0])
