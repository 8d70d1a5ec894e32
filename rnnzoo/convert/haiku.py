"""Weights from and to Haiku's `VanillaRNN`, `GRU` and `LSTM`, without Haiku."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.convert.gates import (
    Converted,
    Gates,
    array,
    flat,
    from_params,
    lacking,
    mapping,
    only,
    order,
    split,
    to_params,
)
from rnnzoo.spec import UsageError
from rnnzoo.typing import Params

# Haiku's z is the part that is new: 1 - z is our z, and sigmoid(-a) = 1 - sigmoid(a).
ORDERS = {"Elman": "h", "IndRNN": "h", "GRUResetBefore": "zrn", "LSTM": "igfo"}
REASONS = {"GRU": "it resets after U_n, Haiku's GRU before; no weights of one compute the other"}
_FILES = {
    "h": ("linear/w", "linear/b", "linear_1/w", "linear_1/b"),
    "zrn": ("w_i", "b", "w_h", None),
    "igfo": ("linear/w", "linear/b", None, None),
}


def from_haiku(cell: Cell, source: Mapping[str, Mapping[str, Any]], *, prefix: str | None = None) -> Converted:
    """A cell's parameters from Haiku's ``{"lstm/linear": {"w": ..., "b": ...}}``.

    Haiku's `VanillaRNN` is ``Elman(activation="relu")``, its `GRU` is `GRUResetBefore` with z and 1 - z exchanged, and
    its `LSTM` adds 1 to the bias of the forget gate in each step, which becomes part of b.f here.

    Args:
        cell: ours.
        source: what Haiku's `init` returns.
        prefix: the module's name in it, such as "lstm" (None: found, if there is only one).

    Raises:
        UsageError (a ValueError): weights that are missing or do not fit, or that the cell cannot hold exactly."""
    letters = _order(cell)
    given = flat(mapping(source, "nested dicts, such as what a Haiku transform's init returns"))
    probe = _FILES[letters][2] or "linear/w"
    paths = {key[: -len(probe)].rstrip("/") for key in given if key == probe or key.endswith("/" + probe)}
    start = only(paths, prefix, given, f"{type(cell).__name__} of Haiku")
    start += "/" if start else ""
    keys = {part: start + key for part, key in zip(("w", "b", "u", "c"), _FILES[letters], strict=True) if key}
    if missing := [keys[part] for part in ("w", "u") if part in keys and keys[part] not in given]:
        raise UsageError(f"the source lacks {', '.join(missing)}; its keys: {', '.join(sorted(given)[:8])}")
    arrays = {part: array(given[key]) for part, key in keys.items() if key in given}
    if "u" not in keys:  # one matrix for x and h
        arrays["w"], arrays["u"] = np.split(arrays["w"], [len(arrays["w"]) - cell.hidden_size])
    parts = {p: split(a, letters, cell.hidden_size, a.ndim - 1, keys.get(p, keys["w"])) for p, a in arrays.items()}
    w, u = ({g: a.T for g, a in parts[part].items()} for part in ("w", "u"))
    form = Gates(w, u, parts.get("b", {}), parts.get("c", {}))
    gates = _exchanged(letters, form, 1)
    unused = given.keys() - {keys[part] for part in arrays if part in keys}
    params = to_params(cell, gates, start or type(cell).__name__)
    return Converted(params, tuple(sorted(unused)), lacking(cell, form))


def to_haiku(cell: Cell, params: Params, *, prefix: str) -> dict[str, dict[str, np.ndarray]]:
    """Haiku's parameters of the module named `prefix`, such as "lstm"; of ``VanillaRNN(double_bias=False)``, `GRU` or
    `LSTM`.

    Raises:
        UsageError (a ValueError): a cell that Haiku does not have."""
    letters = _order(cell)
    gates = _exchanged(letters, from_params(cell, params), -1)
    w, u = (np.concatenate([part[g].T for g in letters], 1) for part in (gates.w, gates.u))
    b = np.concatenate([gates.b[g] for g in letters])
    if letters == "zrn":
        return {prefix: {"w_i": w, "w_h": u, "b": b}}
    if letters == "h":
        return {f"{prefix}/linear": {"w": w, "b": b}, f"{prefix}/linear_1": {"w": u}}
    return {f"{prefix}/linear": {"w": np.concatenate([w, u]), "b": b}}


def _order(cell: Cell) -> str:
    letters = order(cell, ORDERS, "Haiku", REASONS)
    if (activation := getattr(cell, "activation", "relu")) != "relu":
        raise UsageError(f"Elman.activation is {activation!r}; Haiku's VanillaRNN has 'relu'")
    return letters


def _exchanged(letters: str, gates: Gates, sign: int) -> Gates:
    """Haiku's equations in terms of ours (sign 1), or ours in terms of Haiku's (-1)."""
    if letters == "igfo":
        forget = gates.b.get("f", np.zeros(len(gates.w["f"]))) + sign
        return Gates(gates.w, gates.u, {**gates.b, "f": forget}, gates.c)
    if letters == "h":
        return gates
    w, u, b, c = ({g: -a if g == "z" else a for g, a in part.items()} for part in (gates.w, gates.u, gates.b, gates.c))
    return Gates(w, u, b, c)
