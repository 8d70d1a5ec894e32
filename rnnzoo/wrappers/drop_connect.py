"""DropConnect on U, as in the weight-dropped LSTM (Merity et al. 2018). arXiv:1708.02182"""

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.lstm import LSTM
from rnnzoo.cells.recur import Recur, matrices, with_matrices
from rnnzoo.spec import Fraction, spec
from rnnzoo.typing import Key, Params, PyTree, State
from rnnzoo.wrappers.base import Wrapper, needs_structure


@spec
class DropConnect(Wrapper):
    """In training, every number u_k of the recurrent matrices of `cell` becomes m_k * u_k, with m_k = 0 with
    probability `rate`, else 1 / (1 - rate): the same at all steps and for the whole batch, drawn once a run. In
    evaluation u stays as it is.

    For a structure that is linear in its parameters, such as Dense, Diagonal or Banded, this drops entries of U. For
    others it drops what U is made from: a Cayley() stays orthogonal. Parameters are those of `cell`."""

    cell: Cell = LSTM(hidden_size=1)
    """The cell whose recurrent weights are dropped."""
    rate: Fraction = 0.5
    """Probability of dropping a weight."""

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_structure(self)

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        return self.cell.step(params, state, z_t, recur)

    def noisy_params(self, key: Key, params: Params) -> Params:
        key, inner_key = jax.random.split(key)
        us, _ = matrices(params, tuple(self.structures))
        leaves, tree = jax.tree.flatten(us)
        keys = jax.random.split(key, len(leaves))
        kept = [jax.random.bernoulli(k, 1 - self.rate, a.shape) for a, k in zip(leaves, keys, strict=True)]
        scale = max(1 - self.rate, 1e-9)  # at rate 1 all weights are dropped, and 0 / 0 is not
        dropped = [jnp.where(keep, a / scale, 0) for a, keep in zip(leaves, kept, strict=True)]
        return super().noisy_params(inner_key, with_matrices(params, tree.unflatten(dropped)))
