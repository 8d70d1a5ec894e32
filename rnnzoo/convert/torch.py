"""Weights from and to torch's `nn.RNN`, `nn.GRU`, `nn.LSTM` and their cells, without torch."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.convert.gates import (
    Converted,
    Gates,
    find_prefix,
    from_params,
    gate_order,
    has_projection,
    inner_bias_gate,
    missing_biases,
    pack,
    require_keys,
    require_mapping,
    to_numpy,
    to_params,
    unpack,
)
from rnnzoo.convert.model import check_stack, converted_model
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.store.safetensors import read
from rnnzoo.typing import Params

ORDERS = {"Elman": "h", "IndRNN": "h", "GRU": "rzn", "LSTM": "ifgo", "ProjectedLSTM": "ifgo"}
REASONS = {"GRUResetBefore": "it resets before U_n, and torch's GRU after it, so that no weights make them equal"}
_ACCEPTED = "a state_dict, such as module.state_dict(), or the path of a .safetensors file"
_KEY = re.compile(r"(?P<prefix>.*?)(weight|bias)_(ih|hh|hr)(_l(?P<layer>\d+)(_reverse)?)?")


def from_torch(
    target: Cell | Model,
    source: Mapping[str, Any] | str | Path,
    *,
    prefix: str | None = None,
    embedding: str | None = None,
    head: str | None = None,
) -> Converted:
    """Parameters of a cell (one layer, one direction) or of a model, from torch's.

    What the head reads is no weight: for code that reads ``y[:, -1]``, the model needs ``read="last_step"``; for h_n,
    ``read="last"``. In a bidirectional model they differ.

    Args:
        target: a cell with the same nonlinearity, or a model with as many layers and directions.
        source: a `state_dict` of tensors or arrays, or the path of a `.safetensors` file. A ``weight_hh`` of shape (H,)
            is a diagonal, as in the torch ports of IndRNN.
        prefix: the part of the keys before "weight_ih_l0" (None: found, if there is only one).
        embedding: the prefix of the `nn.Embedding` before the recurrent layers, such as "embed."; of a bias-free
            `nn.Linear` if the model reads vectors. None: the model's embedding is `missing`.
        head: the prefix of the `nn.Linear` after the recurrent layers, such as "out.". None: the head is `missing`.

    Raises:
        UsageError (a ValueError): weights are missing or do not fit, or the target cannot hold them exactly."""
    given = dict(_read_file(source) if isinstance(source, (str, Path)) else require_mapping(source, _ACCEPTED))
    cell = target.cell if isinstance(target, Model) else target
    gates = _checked_order(cell)
    matches = {key: m for key in given if (m := _KEY.fullmatch(str(key)))}
    start = find_prefix({m["prefix"] for m in matches.values()}, prefix, given, "weight_ih of a torch RNN, GRU or LSTM")
    ours = {key: m for key, m in matches.items() if m["prefix"] == start}
    if not has_projection(cell) and (projected := [key for key in ours if "weight_hr" in key]):
        raise UsageError(
            f"{projected[0]} projects h (proj_size), and {type(cell).__name__} does not; accepted: "
            "cells.ProjectedLSTM(projection=...)"
        )
    if not isinstance(target, Model):
        suffix = "_l0" if f"{start}weight_ih_l0" in given else ""
        used, params, missing = _read_cell(cell, gates, given, start, suffix)
        return Converted(params, tuple(sorted(map(str, given.keys() - used))), missing)
    check_stack(target, "torch")
    used, params, missing = _read_layers(target, gates, given, start, ours)
    used |= _read_embedding_and_head(target, given, embedding, head, params)
    return converted_model(target, params, given.keys() - used, missing)


def to_torch(
    target: Cell | Model, params: Params, *, prefix: str = "", embedding: str = "embedding.", head: str = "head."
) -> dict[str, np.ndarray]:
    """The `state_dict`, of numpy arrays: convert each with `torch.from_numpy`, or save all with
    `safetensors.numpy.save_file`.

    A cell becomes layer 0 of an `nn.RNN`, `nn.GRU` or `nn.LSTM`, with `prefix` before its keys. A model becomes as many
    layers, with its embedding and its head under the prefixes `embedding` and `head`. Biases are in `bias_ih`;
    `bias_hh` is 0, except that it holds a GRU's c.

    Raises:
        UsageError (a ValueError): torch's layers cannot compute this cell or model."""
    if not isinstance(target, Model):
        return _write_cell(target, params, prefix, "_l0")
    stack = target.stack
    check_stack(target, "torch")
    found: dict[str, np.ndarray] = {}
    for layer in range(stack.layers):
        for direction, end in zip(target.directions, ("", "_reverse"), strict=False):
            found |= _write_cell(target.cell, params[f"layer_{layer}"][direction], prefix, f"_l{layer}{end}")
    if stack.embedding_size:
        w = np.asarray(params["embed"]["w"])
        found[embedding + "weight"] = w if target.tokens else w.T
    found |= {head + {"w": "weight", "b": "bias"}[name]: np.asarray(a) for name, a in params["head"].items()}
    return found


def _checked_order(cell: Cell) -> str:
    gates = gate_order(cell, ORDERS, "torch", REASONS)
    activation = getattr(cell, "activation", "tanh")
    if activation not in ("tanh", "relu"):
        raise UsageError(f"Elman.activation is {activation!r}; torch's nn.RNN has 'tanh' and 'relu'")
    return gates


def _read_layers(
    model: Model, gates: str, given: dict[str, Any], start: str, ours: dict[str, re.Match[str]]
) -> tuple[set[str], Params, list[str]]:
    """The keys used, the parameters of all layers and directions, and the names of those that have no source."""
    layers = 1 + max(int(m["layer"] or 0) for m in ours.values())
    both = any(key.endswith("_reverse") for key in ours)
    if (layers, both) != (model.stack.layers, model.stack.bidirectional):
        raise UsageError(
            f"the source has {layers} layers, bidirectional={both}; the model has {model.stack.layers}, "
            f"bidirectional={model.stack.bidirectional}; accepted: a model with Stack(layers={layers}, "
            f"bidirectional={both})"
        )
    found: Params = {}
    used: set[str] = set()
    missing: list[str] = []
    for layer in range(layers):
        here = found[f"layer_{layer}"] = {}
        for direction, end in zip(model.directions, ("", "_reverse"), strict=False):
            keys, here[direction], lacks = _read_cell(model.cell, gates, given, start, f"_l{layer}{end}")
            used |= keys
            missing += [f"layer_{layer}.{direction}.{name}" for name in lacks]
    return used, found, missing


def _read_cell(
    cell: Cell, gates: str, given: dict[str, Any], prefix: str, suffix: str
) -> tuple[set[str], Params, tuple[str, ...]]:
    """The keys used, the parameters of one layer in one direction, and the names of those that have no source."""
    projection = ("weight_hr",) * has_projection(cell)
    names = {part: f"{prefix}{part}{suffix}" for part in ("weight_ih", "weight_hh", *projection, "bias_ih", "bias_hh")}
    require_keys([names[part] for part in ("weight_ih", "weight_hh", *projection)], given)
    arrays = {part: to_numpy(given[key], key) for part, key in names.items() if key in given}
    is_indrnn_port = arrays["weight_hh"].ndim == 1  # these keep U as a vector, and have one bias
    if is_indrnn_port:
        arrays["weight_hh"] = np.diag(arrays["weight_hh"])
    size = cell.hidden_size
    parts = {part: unpack(a, gates, size, 0, names[part]) for part, a in arrays.items() if part != "weight_hr"}
    form = Gates(
        parts["weight_ih"],
        parts["weight_hh"],
        parts.get("bias_ih", {}),
        parts.get("bias_hh", {}),
        arrays.get("weight_hr"),
    )
    missing = missing_biases(cell, form) + (() if is_indrnn_port else _half_biases(cell, form))
    return {names[part] for part in arrays}, to_params(cell, form, names["weight_hh"]), tuple(sorted(missing))


def _half_biases(cell: Cell, form: Gates) -> tuple[str, ...]:
    """The names of the biases b = bias_ih + bias_hh if the source has only one of the two. torch has both or none."""
    if not cell.bias or bool(form.b) == bool(form.c):
        return ()
    return tuple(f"b.{g}" for g in form.w if g != inner_bias_gate(cell))


def _write_cell(cell: Cell, params: Params, prefix: str, suffix: str) -> dict[str, np.ndarray]:
    gates = _checked_order(cell)
    form = from_params(cell, params)
    if form.p is not None and len(form.p) >= cell.hidden_size:
        raise UsageError(
            f"{type(cell).__name__} projects {cell.hidden_size} units to {len(form.p)}, but torch's proj_size must be "
            f"smaller than hidden_size; accepted: projection={cell.hidden_size - 1} or less"
        )
    found = {"weight_ih": form.w, "weight_hh": form.u} | ({"bias_ih": form.b, "bias_hh": form.c} if cell.bias else {})
    packed = {f"{prefix}{part}{suffix}": pack(parts, gates, 0) for part, parts in found.items()}
    return packed | ({} if form.p is None else {f"{prefix}weight_hr{suffix}": form.p})


def _read_embedding_and_head(
    model: Model, given: dict[str, Any], embedding: str | None, head: str | None, found: Params
) -> set[str]:
    """Add embedding and head to `found`, and return the keys used."""
    used: set[str] = set()
    if embedding is not None:
        if not model.stack.embedding_size:
            raise UsageError(
                f"embedding is {embedding!r}, but the model has none; accepted: None, or Stack(embedding_size=...)"
            )
        _take_zero_bias(given, embedding, used, "a bias-free nn.Linear")
        w = _take_array(given, embedding + "weight", used)
        found["embed"] = {"w": jnp.asarray(w if model.tokens else w.T, float)}
    if head is not None:
        found["head"] = {"w": jnp.asarray(_take_array(given, head + "weight", used), float)}
        if not model.stack.head_bias:
            _take_zero_bias(given, head, used, "Stack(head_bias=True)")
        else:
            found["head"]["b"] = jnp.asarray(_take_array(given, head + "bias", used), float)
    return used


def _take_zero_bias(given: dict[str, Any], prefix: str, used: set[str], accepted: str) -> None:
    """Mark the bias as used if it is there. `UsageError` if it is not 0: the model has no such bias."""
    if (key := prefix + "bias") in given:
        if np.any(_take_array(given, key, used)):
            raise UsageError(f"{key} is not 0, but the model has no bias there; accepted: {accepted}")


def _take_array(given: dict[str, Any], key: str, used: set[str]) -> np.ndarray:
    require_keys([key], given)
    used.add(key)
    return to_numpy(given[key], key)


def _read_file(path: str | Path) -> dict[str, np.ndarray]:
    if Path(path).suffix != ".safetensors":
        raise UsageError(
            f"{path} is not a .safetensors file; accepted: one written by safetensors.torch.save_file (a pickled file "
            "could run code when it is read)"
        )
    return read(Path(path))
