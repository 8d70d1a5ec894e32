"""Weights from and to Keras's `SimpleRNN`, `GRU` and `LSTM`, without Keras: the lists of `get_weights()`."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.convert.gates import (
    Converted,
    Gates,
    from_params,
    gate_order,
    inner_bias_gate,
    pack,
    single_bias,
    to_numpy,
    to_params,
    unpack,
)
from rnnzoo.convert.model import check_stack, converted_model
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.typing import Params

ORDERS = {"Elman": "h", "GRU": "zrn", "GRUResetBefore": "zrn", "LSTM": "ifgo"}


def from_keras(target: Cell | Model, weights: Sequence[Any]) -> Converted:
    """Parameters from the list that ``layer.get_weights()`` or ``model.get_weights()`` returns.

    Keras's `SimpleRNN` is `Elman` with the same activation, ``GRU(reset_after=True)`` (the default) is `GRU`, and
    ``GRU(reset_after=False)`` is `GRUResetBefore`. Other activations must be Keras's defaults.

    Args:
        target: a cell, for the weights of one layer; or a model, for the weights of all its recurrent layers (both
            directions of a `Bidirectional`, one after the other), either alone or between those of an `Embedding`, if
            the model has one, and of a `Dense`.
        weights: for each layer and direction kernel, recurrent kernel and, if the cell has biases, bias.

    Raises:
        UsageError (a ValueError): the number of arrays is wrong, or the target cannot hold the weights exactly."""
    letters = gate_order(target.cell if isinstance(target, Model) else target, ORDERS, "Keras", {})
    if not isinstance(weights, Sequence):
        raise UsageError(f"weights is of type {type(weights).__name__}; accepted: a list, such as layer.get_weights()")
    arrays = [to_numpy(w, f"weights[{n}]") for n, w in enumerate(weights)]
    if not isinstance(target, Model):
        each = 3 if target.bias else 2
        _check_count(arrays, {each}, type(target).__name__)
        return Converted(_read_cell(target, letters, arrays, "the layer"), (), ())
    check_stack(target, "Keras")
    each, stack = (3 if target.cell.bias else 2), target.stack
    inner = stack.layers * len(target.directions) * each
    first, last = int(stack.embedding_size > 0), 1 + stack.head_bias
    _check_count(arrays, {inner, first + inner + last}, "Model")
    found: Params = {}
    if len(arrays) > inner:
        if first:
            found["embed"] = {"w": jnp.asarray(arrays[0], float)}
        found["head"] = dict(zip("wb", (jnp.asarray(a.T, float) for a in arrays[first + inner :]), strict=False))
        arrays = arrays[first : first + inner]
    for layer in range(stack.layers):
        here = found[f"layer_{layer}"] = {}
        for direction in target.directions:
            here[direction] = _read_cell(target.cell, letters, arrays[:each], f"layer {layer}")
            arrays = arrays[each:]
    return converted_model(target, found, (), ())


def to_keras(cell: Cell, params: Params) -> list[np.ndarray]:
    """The list for ``layer.set_weights(...)`` of Keras's `SimpleRNN` (for `Elman`), ``GRU(reset_after=True)`` (for
    `GRU`), ``GRU(reset_after=False)`` (for `GRUResetBefore`) or `LSTM`; with ``use_bias=False`` if the cell has no
    biases.

    Raises:
        UsageError (a ValueError): Keras has no such cell."""
    letters = gate_order(cell, ORDERS, "Keras", {})
    gates = from_params(cell, params)
    found = [pack({g: a.T for g, a in arrays.items()}, letters, 1) for arrays in (gates.w, gates.u)]
    if not cell.bias:
        return found
    if inner_bias_gate(cell):
        return [*found, np.stack([pack(gates.b, letters, 0), pack(gates.c, letters, 0)])]
    return [*found, pack(single_bias(gates, "Keras's layer"), letters, 0)]


def _read_cell(cell: Cell, letters: str, arrays: list[np.ndarray], where: str) -> Params:
    size = cell.hidden_size
    w, u = (
        {g: a.T for g, a in unpack(packed, letters, size, 1, f"{name} of {where}").items()}
        for name, packed in zip(("kernel", "recurrent kernel"), arrays, strict=False)
    )
    biases = list(np.atleast_2d(arrays[2])) if cell.bias else []
    if cell.bias and len(biases) != (2 if inner_bias_gate(cell) else 1):
        reset = "GRU with reset_after=True, GRUResetBefore with reset_after=False"
        raise UsageError(
            f"bias of {where} has shape {arrays[2].shape}, which does not fit {type(cell).__name__}; accepted: {reset}"
        )
    b, c = ([unpack(a, letters, size, 0, f"bias of {where}") for a in biases] + [{}, {}])[:2]
    return to_params(cell, Gates(w, u, b, c), where)


def _check_count(arrays: list[np.ndarray], accepted: set[int], what: str) -> None:
    if len(arrays) not in accepted:
        numbers = " or ".join(map(str, sorted(accepted)))
        raise UsageError(f"weights has {len(arrays)} arrays for {what}; accepted: {numbers}")
