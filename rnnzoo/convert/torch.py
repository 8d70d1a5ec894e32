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
    array,
    from_params,
    inner_bias,
    lacking,
    mapping,
    only,
    order,
    pack,
    projects,
    split,
    to_params,
)
from rnnzoo.convert.whole import check_stack, complete
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.store.safetensors import read
from rnnzoo.typing import Params

ORDERS = {"Elman": "h", "IndRNN": "h", "GRU": "rzn", "LSTM": "ifgo", "ProjectedLSTM": "ifgo"}
REASONS = {"GRUResetBefore": "it resets before U_n, torch's GRU after; no weights of one compute the other"}
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

    Args:
        target: the cell, with the nonlinearity of torch's, or the model, with as many layers and directions.
        source: a `state_dict` of tensors or arrays, or a `.safetensors` file of one. A ``weight_hh`` of shape (H,) is a
            diagonal, as in the torch ports of IndRNN.
        prefix: what stands before "weight_ih_l0" (None: found, if there is only one).
        embedding: the prefix of the `nn.Embedding` in front of a model (of a bias-free `nn.Linear` if it reads
            vectors), such as "embed."; None: it stays missing.
        head: the prefix of the `nn.Linear` behind it, such as "out."; None: it stays missing.

    Raises:
        UsageError (a ValueError): weights that are missing or do not fit, or that the target cannot hold exactly."""
    given = dict(_load(source) if isinstance(source, (str, Path)) else mapping(source, _ACCEPTED))
    cell = target.cell if isinstance(target, Model) else target
    gates = _order(cell)
    matches = {key: m for key in given if (m := _KEY.fullmatch(str(key)))}
    start = only({m["prefix"] for m in matches.values()}, prefix, given, "weight_ih of a torch RNN, GRU or LSTM")
    ours = {key: m for key, m in matches.items() if m["prefix"] == start}
    if not projects(cell) and (projected := [key for key in ours if "weight_hr" in key]):
        raise UsageError(
            f"{projected[0]} projects h (proj_size), which {type(cell).__name__} does not; accepted: "
            "cells.ProjectedLSTM, with the projection given"
        )
    if not isinstance(target, Model):
        suffix = "_l0" if f"{start}weight_ih_l0" in given else ""
        used, params, missing = _cell(cell, gates, given, start, suffix)
        return Converted(params, tuple(sorted(map(str, given.keys() - used))), missing)
    check_stack(target, "torch")
    used, params, missing = _layers(target, gates, given, start, ours)
    used |= _outer(target, given, embedding, head, params)
    return complete(target, params, given.keys() - used, missing)


def to_torch(
    target: Cell | Model, params: Params, *, prefix: str = "", embedding: str = "embedding.", head: str = "head."
) -> dict[str, np.ndarray]:
    """The `state_dict`, of numpy arrays: `torch.from_numpy` each, or save them with `safetensors.numpy.save_file`.

    A cell becomes layer 0 of an `nn.RNN`, `nn.GRU` or `nn.LSTM` with the keys' `prefix`; a model as many layers, and an
    `nn.Embedding` and an `nn.Linear` under the prefixes given. The bias is in `bias_ih`; `bias_hh` is 0 but for a
    GRU's c.

    Raises:
        UsageError (a ValueError): a cell or model that torch's layers cannot compute."""
    if not isinstance(target, Model):
        return _write(target, params, prefix, "_l0")
    stack = target.stack
    check_stack(target, "torch")
    found: dict[str, np.ndarray] = {}
    for layer in range(stack.layers):
        for direction, end in zip(target.directions, ("", "_reverse"), strict=False):
            found |= _write(target.cell, params[f"layer_{layer}"][direction], prefix, f"_l{layer}{end}")
    if stack.embedding_size:
        w = np.asarray(params["embed"]["w"])
        found[embedding + "weight"] = w if target.tokens else w.T
    found |= {head + {"w": "weight", "b": "bias"}[name]: np.asarray(a) for name, a in params["head"].items()}
    return found


def _order(cell: Cell) -> str:
    gates = order(cell, ORDERS, "torch", REASONS)
    activation = getattr(cell, "activation", "tanh")
    if activation not in ("tanh", "relu"):
        raise UsageError(f"Elman.activation is {activation!r}; torch's nn.RNN has 'tanh' and 'relu'")
    return gates


def _layers(
    model: Model, gates: str, given: dict[str, Any], start: str, ours: dict[str, re.Match[str]]
) -> tuple[set[str], Params, list[str]]:
    """The keys used, the parameters of all layers in all directions, and the names of those without a source."""
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
            keys, here[direction], lacks = _cell(model.cell, gates, given, start, f"_l{layer}{end}")
            used |= keys
            missing += [f"layer_{layer}.{direction}.{name}" for name in lacks]
    return used, found, missing


def _cell(
    cell: Cell, gates: str, given: dict[str, Any], prefix: str, suffix: str
) -> tuple[set[str], Params, tuple[str, ...]]:
    """The keys used, the parameters of one layer in one direction, and the names of those without a source."""
    projection = ("weight_hr",) * projects(cell)
    names = {part: f"{prefix}{part}{suffix}" for part in ("weight_ih", "weight_hh", *projection, "bias_ih", "bias_hh")}
    needed = [names[part] for part in ("weight_ih", "weight_hh", *projection)]
    if missing := [key for key in needed if key not in given]:
        raise UsageError(f"the source lacks {', '.join(missing)}; its keys: {', '.join(sorted(map(str, given))[:8])}")
    arrays = {part: array(given[key]) for part, key in names.items() if key in given}
    port = arrays["weight_hh"].ndim == 1  # those of IndRNN keep U as a vector, and have one bias
    if port:
        arrays["weight_hh"] = np.diag(arrays["weight_hh"])
    size = cell.hidden_size
    parts = {part: split(a, gates, size, 0, names[part]) for part, a in arrays.items() if part != "weight_hr"}
    form = Gates(
        parts["weight_ih"],
        parts["weight_hh"],
        parts.get("bias_ih", {}),
        parts.get("bias_hh", {}),
        arrays.get("weight_hr"),
    )
    missing = lacking(cell, form) + (() if port else _halves(cell, form))
    return {names[part] for part in arrays}, to_params(cell, form, names["weight_hh"]), tuple(sorted(missing))


def _halves(cell: Cell, form: Gates) -> tuple[str, ...]:
    """The names of the sums b of two biases of which the source has one. torch's layers have both or none."""
    if not cell.bias or bool(form.b) == bool(form.c):
        return ()
    return tuple(f"b.{g}" for g in form.w if g != inner_bias(cell))


def _write(cell: Cell, params: Params, prefix: str, suffix: str) -> dict[str, np.ndarray]:
    gates = _order(cell)
    form = from_params(cell, params)
    if form.p is not None and len(form.p) >= cell.hidden_size:
        raise UsageError(
            f"{type(cell).__name__} projects {cell.hidden_size} units to {len(form.p)}; torch's proj_size is smaller "
            f"than hidden_size; accepted: projection={cell.hidden_size - 1} or less"
        )
    found = {"weight_ih": form.w, "weight_hh": form.u} | ({"bias_ih": form.b, "bias_hh": form.c} if cell.bias else {})
    packed = {f"{prefix}{part}{suffix}": pack(parts, gates, 0) for part, parts in found.items()}
    return packed | ({} if form.p is None else {f"{prefix}weight_hr{suffix}": form.p})


def _outer(model: Model, given: dict[str, Any], embedding: str | None, head: str | None, found: Params) -> set[str]:
    """Put embedding and head into `found`; the keys used."""
    used: set[str] = set()
    if embedding is not None:
        if not model.stack.embedding_size:
            raise UsageError(
                f"embedding is {embedding!r}, and the model has none; accepted: None, or Stack(embedding_size=...)"
            )
        _no_bias(given, embedding, used, "a bias-free nn.Linear")
        w = array(_take(given, embedding + "weight", used))
        found["embed"] = {"w": jnp.asarray(w if model.tokens else w.T, float)}
    if head is not None:
        found["head"] = {"w": jnp.asarray(array(_take(given, head + "weight", used)), float)}
        if not model.stack.head_bias:
            _no_bias(given, head, used, "Stack(head_bias=True)")
        else:
            found["head"]["b"] = jnp.asarray(array(_take(given, head + "bias", used)), float)
    return used


def _no_bias(given: dict[str, Any], prefix: str, used: set[str], accepted: str) -> None:
    """Take a bias of zeros, if there is one; `UsageError` for another, which the model cannot hold."""
    if (key := prefix + "bias") in given:
        if np.any(array(_take(given, key, used))):
            raise UsageError(f"{key} is not 0, and the model has no bias there; accepted: {accepted}")


def _take(given: dict[str, Any], key: str, used: set[str]) -> Any:
    if key not in given:
        raise UsageError(f"the source has no {key!r}; its keys: {', '.join(sorted(map(str, given))[:8])}")
    used.add(key)
    return given[key]


def _load(path: str | Path) -> dict[str, np.ndarray]:
    if Path(path).suffix != ".safetensors":
        raise UsageError(f"{path} is no .safetensors file (reading a pickled one would run code in it)")
    return read(Path(path))
