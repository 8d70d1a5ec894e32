"""Weights from torch code of papers on diagonal and minimal cells, without torch.

For IndRNN's torch ports use `from_torch`, which reads a ``weight_hh`` of shape (H,) as a diagonal."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from rnnzoo.arguments import check_params
from rnnzoo.cells.base import Cell
from rnnzoo.convert.gates import (
    Converted,
    Gates,
    find_prefix,
    gate_order,
    missing_biases,
    require_keys,
    require_mapping,
    to_numpy,
    to_params,
    unpack,
)
from rnnzoo.spec import UsageError

_MINGRU_KEYS = {"MinGRU": ("to_hidden_and_gate.weight", "nz"), "MinLSTM": ("to_hidden_and_f_i_gate.weight", "nfi")}


def from_mingru(cell: Cell, source: Mapping[str, Any], *, prefix: str | None = None) -> Converted:
    """A `MinGRU` or `MinLSTM` from minGRU-pytorch (https://github.com/lucidrains/minGRU-pytorch).

    ``to_hidden_and_gate.weight`` (2 H, I) is w.n and w.z, ``to_hidden_and_f_i_gate.weight`` (3 H, I) is w.n, w.f and
    w.i, stacked. minGRU-pytorch has no biases: ours become 0, and are named in `missing`. ``to_out`` is not used.

    Args:
        cell: ours.
        source: the `state_dict`, of tensors or arrays.
        prefix: the part of the keys before "to_hidden" (None: found, if there is only one).

    Raises:
        UsageError (a ValueError): weights are missing or do not fit, or minGRU-pytorch has no such cell."""
    gate_order(cell, {name: gates for name, (_, gates) in _MINGRU_KEYS.items()}, "minGRU-pytorch", {})
    name, gates = _MINGRU_KEYS[type(cell).__name__]
    source = require_mapping(source, "a state_dict, such as module.state_dict()")
    start = find_prefix({key[: -len(name)] for key in source if key.endswith(name)}, prefix, source, name)
    w = unpack(to_numpy(source[start + name], start + name), gates, cell.hidden_size, 0, start + name)
    params = {"w": {g: jnp.asarray(a, float) for g, a in w.items()}}
    if cell.bias:
        params["b"] = {g: jnp.zeros(cell.hidden_size) for g in gates}
    check_params(cell, params, next(iter(w.values())).shape[1])
    return Converted(params, tuple(sorted(source.keys() - {start + name})), missing_biases(cell, Gates(w, {}, {}, {})))


def from_pararnn(cell: Cell, source: Mapping[str, Any], *, prefix: str | None = None) -> Converted:
    """A `GRUResetBefore` or `GRU` with diagonal U from ParaRNN's ``GRUDiagMH`` (https://github.com/apple/ml-pararnn).

    ``A`` (3, H) holds the diagonals of u.z, u.r and u.n, ``b`` (3, H) the biases, and ``B`` (heads, I / heads, 3,
    H / heads) the blocks of w.z, w.r and w.n, which are block diagonal. ParaRNN's z is our 1 - z. The nonlinearities
    must be ParaRNN's defaults: sigmoid, sigmoid and tanh.

    Args:
        cell: ours, with a structure that contains diagonal matrices.
        source: the `state_dict`, of tensors or arrays.
        prefix: the part of the keys before "A" (None: found, if there is only one).

    Raises:
        UsageError (a ValueError): weights are missing or do not fit, or ParaRNN has no such cell."""
    reasons = {"LSTM": "ParaRNN's LSTM has coupled gates and peepholes"}
    gates = gate_order(cell, {"GRU": "zrn", "GRUResetBefore": "zrn"}, "ParaRNN", reasons)
    source = require_mapping(source, "a state_dict, such as module.state_dict()")
    starts = {key[:-1] for key in source if key == "A" or key.endswith(".A")}
    start = find_prefix(starts, prefix, source, "A of ParaRNN's GRUDiagMH")
    keys = [start + name for name in ("A", "B", "b")]
    require_keys(keys, source)
    a, blocks, b = (to_numpy(source[key], key) for key in keys)
    heads, size = blocks.shape[0] if blocks.ndim == 4 else 0, cell.hidden_size
    if a.shape != (3, size) or b.shape != (3, size) or blocks.shape[2:] != (3, size // max(heads, 1)):
        raise UsageError(
            f"{', '.join(keys)} have shapes {a.shape}, {blocks.shape} and {b.shape}; accepted: those of a GRUDiagMH "
            f"with {size} units, (3, {size}), (heads, I / heads, 3, {size} / heads) and (3, {size})"
        )
    w = {g: _block_diagonal(blocks[:, :, k]) for k, g in enumerate(gates)}
    u = {g: np.diag(v) for g, v in zip(gates, a, strict=True)}
    form = Gates(w, u, dict(zip(gates, b, strict=True)), {})
    for part in (form.w, form.u, form.b):
        part["z"] = -part["z"]  # sigmoid(-v) = 1 - sigmoid(v)
    params = to_params(cell, form, start or "ParaRNN's GRU")
    return Converted(params, tuple(sorted(source.keys() - set(keys))), missing_biases(cell, form))


def _block_diagonal(blocks: np.ndarray) -> np.ndarray:
    """The block diagonal matrix (H, I) of blocks (heads, I / heads, H / heads)."""
    heads, i, h = blocks.shape
    w = np.zeros((heads, h, heads, i), blocks.dtype)
    w[np.arange(heads), :, np.arange(heads)] = blocks.transpose(0, 2, 1)
    return w.reshape(heads * h, heads * i)


__all__ = ["from_mingru", "from_pararnn"]
