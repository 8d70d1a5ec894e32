"""Weights from and to Keras's `SimpleRNN`, `GRU` and `LSTM`, without Keras: the lists of `get_weights()`."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.convert.gates import Converted, Gates, added, array, from_params, inner_bias, order, pack, split, to_params
from rnnzoo.convert.whole import check_stack, complete
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.typing import Params

ORDERS = {"Elman": "h", "GRU": "zrn", "GRUResetBefore": "zrn", "LSTM": "ifgo"}


def from_keras(target: Cell | Model, weights: Sequence[Any]) -> Converted:
    """Parameters from the list that ``layer.get_weights()`` or ``model.get_weights()`` returns.

    Keras's `SimpleRNN` is `Elman` with its activation, ``GRU(reset_after=True)``, Keras's default, is `GRU`,
    ``GRU(reset_after=False)`` is `GRUResetBefore`. Layers are taken with their usual activations.

    Args:
        target: a cell, for the weights of one layer; or a model, for those of all its recurrent layers (each direction
            of a `Bidirectional` in turn), or of these between an `Embedding`, if it has one, and a `Dense`.
        weights: kernel, recurrent kernel and, with `bias`, bias of each.

    Raises:
        UsageError (a ValueError): another number of arrays, or weights that the target cannot hold exactly."""
    letters = order(target.cell if isinstance(target, Model) else target, ORDERS, "Keras", {})
    if not isinstance(weights, Sequence):
        raise UsageError(f"weights is of type {type(weights).__name__}; accepted: a list, such as layer.get_weights()")
    arrays = [array(w) for w in weights]
    if not isinstance(target, Model):
        each = 3 if target.bias else 2
        _count(arrays, {each}, type(target).__name__)
        return Converted(_cell(target, letters, arrays, "the layer"), (), ())
    check_stack(target, "Keras")
    each, stack = (3 if target.cell.bias else 2), target.stack
    inner = stack.layers * len(target.directions) * each
    first, last = int(stack.embedding_size > 0), 1 + stack.head_bias
    _count(arrays, {inner, first + inner + last}, "Model")
    found: Params = {}
    if len(arrays) > inner:
        if first:
            found["embed"] = {"w": jnp.asarray(arrays[0], float)}
        found["head"] = dict(zip("wb", (jnp.asarray(a.T, float) for a in arrays[first + inner :]), strict=False))
        arrays = arrays[first : first + inner]
    for layer in range(stack.layers):
        here = found[f"layer_{layer}"] = {}
        for direction in target.directions:
            here[direction] = _cell(target.cell, letters, arrays[:each], f"layer {layer}")
            arrays = arrays[each:]
    return complete(target, found, (), ())


def to_keras(cell: Cell, params: Params) -> list[np.ndarray]:
    """The list for ``layer.set_weights(...)``: of `SimpleRNN`, ``GRU(reset_after=True)`` for `GRU`,
    ``GRU(reset_after=False)`` for `GRUResetBefore`, or `LSTM`; of ``use_bias=False`` for a cell without.

    Raises:
        UsageError (a ValueError): a cell that Keras does not have."""
    letters = order(cell, ORDERS, "Keras", {})
    gates = from_params(cell, params)
    found = [pack({g: a.T for g, a in arrays.items()}, letters, 1) for arrays in (gates.w, gates.u)]
    if not cell.bias:
        return found
    if inner_bias(cell):
        return [*found, np.stack([pack(gates.b, letters, 0), pack(gates.c, letters, 0)])]
    return [*found, pack(added(gates, "Keras's layer"), letters, 0)]


def _cell(cell: Cell, letters: str, arrays: list[np.ndarray], where: str) -> Params:
    size = cell.hidden_size
    w, u = (
        {g: a.T for g, a in split(packed, letters, size, 1, f"{name} of {where}").items()}
        for name, packed in zip(("kernel", "recurrent kernel"), arrays, strict=False)
    )
    biases = list(np.atleast_2d(arrays[2])) if cell.bias else []
    if cell.bias and len(biases) != (2 if inner_bias(cell) else 1):
        reset = "GRU with reset_after=True, GRUResetBefore with reset_after=False"
        raise UsageError(
            f"bias of {where} has shape {arrays[2].shape}, which is no bias of {type(cell).__name__}; accepted: {reset}"
        )
    b, c = ([split(a, letters, size, 0, f"bias of {where}") for a in biases] + [{}, {}])[:2]
    return to_params(cell, Gates(w, u, b, c), where)


def _count(arrays: list[np.ndarray], accepted: set[int], what: str) -> None:
    if len(arrays) not in accepted:
        numbers = " or ".join(map(str, sorted(accepted)))
        raise UsageError(f"{len(arrays)} arrays are given for {what}; accepted: {numbers}")
