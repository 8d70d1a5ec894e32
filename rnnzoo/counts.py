"""How many numbers of a cell or a network are free, and how many entries its recurrent matrices have."""

import math
from typing import Any

import jax

from rnnzoo.cells.base import Affine, Cell, unused_params
from rnnzoo.models import Model
from rnnzoo.wrappers.base import Wrapper, state_shapes


def num_params(model: Model) -> int:
    """How many numbers of a network are free."""
    stored = sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(lambda: model.init(jax.random.key(0)))))
    return stored - sum(_unused(cell, size) for cell, size in model.cells)


def _unused(cell: Cell, input_size: Any) -> int:
    return unused_params(cell, jax.eval_shape(lambda: cell.init(jax.random.key(0), input_size)))


def state_size(cell: Cell, input_size: int) -> int:
    """How many numbers one sequence carries from step to step."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(state_shapes(cell, input_size)))


def nonzeros_of(cell: Cell) -> int:
    """Entries of a cell's recurrent or transition matrices that may differ from 0, over all gates."""
    if isinstance(cell, Wrapper) and not cell.structures.keys() - cell.cell.structures.keys():
        return nonzeros_of(cell.cell)
    if isinstance(cell.recurrence, Affine):
        return cell.recurrence.transition.nonzeros(cell.recurrence.state_size)
    return sum(structure.nonzeros(cell.hidden_size) for structure in cell.structures.values())


def nonzeros_u(model: Model) -> int:
    """The same for all layers and directions of a network."""
    return sum(nonzeros_of(cell) for cell, _ in model.cells)


def weights_u(model: Model) -> int:
    """How many numbers are free in the recurrent matrices of a network."""
    return sum(s.num_params(cell.hidden_size) for cell, _ in model.cells for s in cell.structures.values())


def dense_u(model: Model) -> int:
    """How many entries the recurrent matrices of a network have."""
    return sum(len(cell.structures) * cell.hidden_size**2 for cell, _ in model.cells)


__all__ = ["dense_u", "nonzeros_of", "nonzeros_u", "num_params", "state_size", "weights_u"]
