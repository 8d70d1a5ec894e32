"""Recurrent dropout with one mask over time (Gal & Ghahramani 2016). arXiv:1512.05287"""

import jax
import jax.numpy as jnp

from rnnzoo.base import Cell, spec
from rnnzoo.cells.lstm import LSTM
from rnnzoo.noise import Disturbed, keep_mask, parts
from rnnzoo.registry import Fraction
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State
from rnnzoo.wrappers.base import Wrapper, needs_structure
from rnnzoo.wrappers.product import step_with_products


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

    def disturb(self, key: Key, zs: PyTree) -> PyTree:
        key, inner_key = jax.random.split(key)
        leaves = jax.tree.leaves(zs)
        mask = keep_mask(key, self.rate, (self.hidden_size,), jnp.result_type(*leaves))
        # One copy a step: noise reaches the steps with z_t, the only thing that a sequence does not share with others.
        masks = jnp.broadcast_to(mask, (leaves[0].shape[0], self.hidden_size))
        return Disturbed(super().disturb(inner_key, zs), masks)

    def step(self, params: Params, state: State, z_t: PyTree) -> State:
        inner, mask = parts(z_t)
        if mask is None:
            return self.cell.step(params, state, inner)
        return step_with_products(self.cell, params, state, inner, lambda gate: {"before": mask})

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return self.cell.readout(params, state, parts(z_t)[0])
