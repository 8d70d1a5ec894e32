"""Weights from and to Haiku's `VanillaRNN`, `GRU` and `LSTM`, without Haiku."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.convert.gates import (
    Converted,
    Gates,
    find_prefix,
    flatten,
    from_params,
    gate_order,
    missing_biases,
    require_keys,
    require_mapping,
    to_numpy,
    to_params,
    unpack,
)
from rnnzoo.spec import UsageError
from rnnzoo.typing import Params

# Haiku's z is our 1 - z, and sigmoid(-a) = 1 - sigmoid(a).
ORDERS = {"Elman": "h", "IndRNN": "h", "GRUResetBefore": "zrn", "LSTM": "igfo"}
REASONS = {"GRU": "it resets after U_n, and Haiku's GRU before it, so that no weights make them equal"}
_KEYS = {  # of W, b, U and c, by our gates in Haiku's order
    "h": ("linear/w", "linear/b", "linear_1/w", "linear_1/b"),
    "zrn": ("w_i", "b", "w_h", None),
    "igfo": ("linear/w", "linear/b", None, None),
}


def from_haiku(cell: Cell, source: Mapping[str, Mapping[str, Any]], *, prefix: str | None = None) -> Converted:
    """A cell's parameters from Haiku's ``{"lstm/linear": {"w": ..., "b": ...}}``.

    Haiku's `VanillaRNN` is ``Elman(activation="relu")``. Its `GRU` is `GRUResetBefore` with z and 1 - z exchanged. Its
    `LSTM` adds 1 to the bias of the forget gate at each step; here that 1 is a part of b.f.

    Args:
        cell: ours.
        source: what Haiku's `init` returns.
        prefix: the module's name in `source`, such as "lstm" (None: found, if there is only one).

    Raises:
        UsageError (a ValueError): weights are missing or do not fit, or the cell cannot hold them exactly."""
    letters = _checked_order(cell)
    given = flatten(require_mapping(source, "nested dicts, such as what a Haiku transform's init returns"))
    probe = _KEYS[letters][2] or "linear/w"
    paths = {key[: -len(probe)].rstrip("/") for key in given if key == probe or key.endswith("/" + probe)}
    start = find_prefix(paths, prefix, given, f"weights of Haiku's {type(cell).__name__}")
    start += "/" if start else ""
    keys = {part: start + key for part, key in zip(("w", "b", "u", "c"), _KEYS[letters], strict=True) if key}
    require_keys([keys[part] for part in ("w", "u") if part in keys], given)
    arrays = {part: to_numpy(given[key], key) for part, key in keys.items() if key in given}
    if "u" not in keys:  # one matrix for x and h together
        arrays["w"], arrays["u"] = np.split(arrays["w"], [len(arrays["w"]) - cell.hidden_size])
    parts = {p: unpack(a, letters, cell.hidden_size, a.ndim - 1, keys.get(p, keys["w"])) for p, a in arrays.items()}
    w, u = ({g: a.T for g, a in parts[part].items()} for part in ("w", "u"))
    form = Gates(w, u, parts.get("b", {}), parts.get("c", {}))
    gates = _change_convention(letters, form, 1)
    unused = given.keys() - {keys[part] for part in arrays if part in keys}
    params = to_params(cell, gates, start or type(cell).__name__)
    return Converted(params, tuple(sorted(unused)), missing_biases(cell, form))


def to_haiku(cell: Cell, params: Params, *, prefix: str) -> dict[str, dict[str, np.ndarray]]:
    """The parameters of Haiku's ``VanillaRNN(double_bias=False)``, `GRU` or `LSTM`, for a module named `prefix`, such
    as "lstm".

    Raises:
        UsageError (a ValueError): Haiku has no such cell."""
    letters = _checked_order(cell)
    gates = _change_convention(letters, from_params(cell, params), -1)
    w, u = (np.concatenate([part[g].T for g in letters], 1) for part in (gates.w, gates.u))
    b = np.concatenate([gates.b[g] for g in letters])
    if letters == "zrn":
        return {prefix: {"w_i": w, "w_h": u, "b": b}}
    if letters == "h":
        return {f"{prefix}/linear": {"w": w, "b": b}, f"{prefix}/linear_1": {"w": u}}
    return {f"{prefix}/linear": {"w": np.concatenate([w, u]), "b": b}}


def _checked_order(cell: Cell) -> str:
    letters = gate_order(cell, ORDERS, "Haiku", REASONS)
    if (activation := getattr(cell, "activation", "relu")) != "relu":
        raise UsageError(f"Elman.activation is {activation!r}; Haiku's VanillaRNN has 'relu'")
    return letters


def _change_convention(letters: str, gates: Gates, sign: int) -> Gates:
    """Weights for our equations from those for Haiku's (sign 1), or the reverse (sign -1)."""
    if letters == "igfo":
        forget = gates.b.get("f", np.zeros(len(gates.w["f"]))) + sign
        return Gates(gates.w, gates.u, {**gates.b, "f": forget}, gates.c)
    if letters == "h":
        return gates
    w, u, b, c = ({g: -a if g == "z" else a for g, a in part.items()} for part in (gates.w, gates.u, gates.b, gates.c))
    return Gates(w, u, b, c)
