"""Weights from and to the recurrent cells of Flax Linen and NNX, without Flax."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.convert.gates import (
    Arrays,
    Converted,
    Gates,
    find_prefix,
    flatten,
    from_params,
    gate_order,
    inner_bias_gate,
    missing_biases,
    pack,
    require_keys,
    require_mapping,
    single_bias,
    to_numpy,
    to_params,
    unflatten,
    unpack,
)
from rnnzoo.spec import UsageError, suggest
from rnnzoo.typing import Params

Layout = Literal["LSTMCell", "OptimizedLSTMCell"]

# Our gates in Flax's order, and Flax's names of gates where they differ from ours.
ORDERS = {"Elman": "h", "GRU": "rzn", "LSTM": "ifgo", "UGRNN": "gn"}
NNX_ORDERS = {"Elman": "h", "GRU": "rzn", "LSTM": "ifgo"}
NAMES = {"Elman": {"h": ""}, "UGRNN": {"g": "f"}}
REASONS = {
    "GRUResetBefore": "it resets before U_n, and Flax's GRUCell after it, so that no weights make them equal",
    "MGU": "it applies f_t before U_n, and Flax's MGUCell after it, so that no weights make them equal",
}


def from_flax(cell: Cell, source: Mapping[str, Any], *, prefix: str | None = None) -> Converted:
    """A cell's parameters from those of Flax's `SimpleCell`, `LSTMCell`, `OptimizedLSTMCell` or `GRUCell`, of Linen or
    NNX; `UGRNN` from Linen's ``MGUCell(reset_gate=False)``.

    Args:
        cell: ours, with the same activation as Flax's.
        source: nested dicts such as Linen's ``variables`` or NNX's ``nnx.state(module, nnx.Param)``.
        prefix: the path of the cell in `source`, such as "params/cell" (None: found, if there is only one).

    Raises:
        UsageError (a ValueError): weights are missing or do not fit, or the cell cannot hold them exactly."""
    letters = gate_order(cell, ORDERS, "Flax", REASONS)
    given = flatten(
        require_mapping(source, "nested dicts, such as Linen's variables or NNX's nnx.state(module, nnx.Param)")
    )
    kernels = _kernel_names(cell, letters, given)
    probes = {f"{kernels(letters[-1], 'h')}/kernel", "dense_h/kernel"}
    paths = {key[: -len(p)] for key in given for p in probes if key == p or key.endswith("/" + p)}
    start = find_prefix({p.rstrip("/") for p in paths}, prefix, given, f"weights of Flax's {type(cell).__name__}")
    start += "/" if start else ""
    fused = f"{start}dense_h/kernel" in given
    read = _read_fused if fused else _read_named
    used: set[str] = set()

    def take(name: str) -> np.ndarray | None:
        used.add(start + name)
        return to_numpy(given[start + name], start + name) if start + name in given else None

    gates = read(cell, letters, kernels, take)
    require_keys(sorted(key for key in used if key.endswith("kernel")), given)
    assert gates is not None
    params = to_params(cell, gates, start or type(cell).__name__)
    return Converted(params, tuple(sorted(given.keys() - used)), missing_biases(cell, gates))


def to_linen(cell: Cell, params: Params) -> dict[str, Any]:
    """The parameters of Linen's `SimpleCell`, `LSTMCell` (and `OptimizedLSTMCell`), `GRUCell`, or
    ``MGUCell(reset_gate=False)`` for `UGRNN`: the content of "params" if the cell is the whole module.

    Raises:
        UsageError (a ValueError): Linen has no such cell."""
    return _write_named(cell, params, gate_order(cell, ORDERS, "Flax Linen", REASONS), "if")


def to_nnx(cell: Cell, params: Params, *, layout: Layout = "LSTMCell") -> dict[str, Any]:
    """The parameters of NNX's `SimpleCell`, `GRUCell`, or the LSTM that `layout` names, as nested dicts. To load them:
    ``state = nnx.state(module); nnx.replace_by_pure_dict(state, params); nnx.update(module, state)``.

    Raises:
        UsageError (a ValueError): NNX has no such cell or layout, or a GRU's bias c is not 0 (NNX has no such bias)."""
    letters = gate_order(cell, NNX_ORDERS, "Flax NNX", REASONS)
    if layout not in get_args(Layout):
        raise UsageError(f"layout is {layout!r}; {suggest(str(layout), get_args(Layout))}")
    if type(cell).__name__ == "LSTM" and layout == "LSTMCell":
        return _write_named(cell, params, letters, "if_")
    gates = from_params(cell, params)
    bias, inner = single_bias(gates, "NNX's cell"), layout == "OptimizedLSTMCell" and len(letters) == 4
    found = {"dense_i": {"kernel": pack(_transposed(gates.w), letters, 1)}}
    found["dense_h"] = {"kernel": pack(_transposed(gates.u), letters, 1)}
    found["dense_h" if inner else "dense_i"]["bias"] = pack(bias, letters, 0)
    return found


Kernels = Callable[[str, str], str]
Take = Callable[[str], np.ndarray | None]


def _kernel_names(cell: Cell, letters: str, given: Mapping[str, Any]) -> Kernels:
    """(gate, "i" or "h") -> Flax's name of the module. NNX writes "if_", because "if" is a keyword of Python."""
    names = {g: g for g in letters} | NAMES.get(type(cell).__name__, {})
    keyword = any("if_" in key.split("/") for key in given)
    return lambda g, part: "if_" if (name := part + names[g]) == "if" and keyword else name


def _read_named(cell: Cell, letters: str, name: Kernels, take: Take) -> Gates | None:
    found: dict[str, Arrays] = {"i": {}, "h": {}}
    biases: dict[str, Arrays] = {"i": {}, "h": {}}
    for part in "ih":
        for g in letters:
            kernel, bias = (take(f"{name(g, part)}/{leaf}") for leaf in ("kernel", "bias"))
            if kernel is not None:
                found[part][g] = kernel.T
            if bias is not None:
                biases[part][g] = bias
    has_all_kernels = all(len(arrays) == len(letters) for arrays in found.values())
    return Gates(found["i"], found["h"], biases["i"], biases["h"]) if has_all_kernels else None


def _read_fused(cell: Cell, letters: str, name: Kernels, take: Take) -> Gates | None:
    size = cell.hidden_size
    parts: list[Any] = []
    for dense in ("dense_i", "dense_h"):
        kernel, bias = take(f"{dense}/kernel"), take(f"{dense}/bias")
        if kernel is None:
            return None
        parts.append(_transposed(unpack(kernel, letters, size, 1, f"{dense}/kernel")))
        parts.append({} if bias is None else unpack(bias, letters, size, 0, f"{dense}/bias"))
    return Gates(w=parts[0], u=parts[2], b=parts[1], c=parts[3])


def _write_named(cell: Cell, params: Params, letters: str, forget: str) -> dict[str, Any]:
    """Linen's tree; that of NNX's LSTMCell differs only in the name `forget`. LSTMs have their biases in the modules of
    U, other cells in those of W."""
    gates = from_params(cell, params)
    names = {g: g for g in letters} | NAMES.get(type(cell).__name__, {})
    inner, lstm = inner_bias_gate(cell), len(letters) == 4
    found: dict[str, Any] = {}
    for g in letters:
        i, h = "i" + names[g], "h" + names[g]
        found[f"{forget if i == 'if' else i}/kernel"], found[f"{h}/kernel"] = gates.w[g].T, gates.u[g].T
        found[f"{h}/bias" if lstm else f"{i}/bias"] = gates.b[g]
        if g == inner:
            found[f"{h}/bias"] = gates.c[g]
    return unflatten(found)


def _transposed(parts: Arrays) -> Arrays:
    """Flax's kernels from our matrices, or the reverse: Flax's are (inputs, outputs)."""
    return {g: a.T for g, a in parts.items()}
