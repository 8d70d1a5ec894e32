"""Weights from and to the recurrent cells of Flax Linen and NNX, without Flax."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import numpy as np

from rnnzoo.cells.base import Cell
from rnnzoo.convert.gates import (
    Arrays,
    Converted,
    Gates,
    added,
    array,
    flat,
    from_params,
    inner_bias,
    lacking,
    mapping,
    only,
    order,
    pack,
    split,
    to_params,
    unnest,
)
from rnnzoo.spec import UsageError, suggest
from rnnzoo.typing import Params

Layout = Literal["LSTMCell", "OptimizedLSTMCell"]

# Our gates in Flax's order, and Flax's name of a gate where it is another.
ORDERS = {"Elman": "h", "GRU": "rzn", "LSTM": "ifgo", "UGRNN": "gn"}
NNX_ORDERS = {"Elman": "h", "GRU": "rzn", "LSTM": "ifgo"}
NAMES = {"Elman": {"h": ""}, "UGRNN": {"g": "f"}}
REASONS = {
    "GRUResetBefore": "it resets before U_n, Flax's GRUCell after; no weights of one compute the other",
    "MGU": "it applies f_t before U_n, Flax's MGUCell after; no weights of one compute the other",
}


def from_flax(cell: Cell, source: Mapping[str, Any], *, prefix: str | None = None) -> Converted:
    """A cell's parameters from Flax's: `SimpleCell`, `LSTMCell`, `OptimizedLSTMCell` and `GRUCell` of Linen or NNX, and
    Linen's ``MGUCell(reset_gate=False)`` for `UGRNN`.

    Args:
        cell: ours, with the activation of Flax's.
        source: nested dicts such as Linen's ``variables`` or NNX's ``nnx.state(module, nnx.Param)``.
        prefix: the path of the cell in it, such as "params/cell" (None: found, if there is only one).

    Raises:
        UsageError (a ValueError): weights that are missing or do not fit, or that the cell cannot hold exactly."""
    letters = order(cell, ORDERS, "Flax", REASONS)
    given = flat(mapping(source, "nested dicts, such as Linen's variables or NNX's nnx.state(module, nnx.Param)"))
    kernels = _kernels(cell, letters, given)
    probes = {f"{kernels(letters[-1], 'h')}/kernel", "dense_h/kernel"}
    paths = {key[: -len(p)] for key in given for p in probes if key == p or key.endswith("/" + p)}
    start = only({p.rstrip("/") for p in paths}, prefix, given, f"{type(cell).__name__} of Flax")
    start += "/" if start else ""
    fused = f"{start}dense_h/kernel" in given
    read = _read_fused if fused else _read_named
    used: set[str] = set()

    def take(name: str) -> np.ndarray | None:
        used.add(start + name)
        return array(given[start + name]) if start + name in given else None

    gates = read(cell, letters, kernels, take)
    if missing := sorted(key for key in used - given.keys() if key.endswith("kernel")):
        raise UsageError(f"the source lacks {', '.join(missing)}; its keys: {', '.join(sorted(given)[:8])}")
    assert gates is not None
    params = to_params(cell, gates, start or type(cell).__name__)
    return Converted(params, tuple(sorted(given.keys() - used)), lacking(cell, gates))


def to_linen(cell: Cell, params: Params) -> dict[str, Any]:
    """The parameters of Linen's `SimpleCell`, `LSTMCell` (and `OptimizedLSTMCell`), `GRUCell`, or
    ``MGUCell(reset_gate=False)`` for `UGRNN`: what stands under "params" for the cell alone.

    Raises:
        UsageError (a ValueError): a cell that Linen does not have."""
    return _write_named(cell, params, order(cell, ORDERS, "Flax Linen", REASONS), "if")


def to_nnx(cell: Cell, params: Params, *, layout: Layout = "LSTMCell") -> dict[str, Any]:
    """The parameters of NNX's `SimpleCell`, `GRUCell`, and of the LSTM named by `layout`, as nested dicts: load them
    with ``nnx.update(module, nnx.state(module).replace_by_pure_dict(...))``.

    Raises:
        UsageError (a ValueError): a cell or layout that NNX does not have, or a GRU with a bias c, which NNX's cannot
            hold."""
    letters = order(cell, NNX_ORDERS, "Flax NNX", REASONS)
    if layout not in get_args(Layout):
        raise UsageError(f"layout is {layout!r}; {suggest(str(layout), get_args(Layout))}")
    if type(cell).__name__ == "LSTM" and layout == "LSTMCell":
        return _write_named(cell, params, letters, "if_")
    gates = from_params(cell, params)
    bias, inner = added(gates, "NNX's cell"), layout == "OptimizedLSTMCell" and len(letters) == 4
    found = {"dense_i": {"kernel": pack(_turned(gates.w), letters, 1)}}
    found["dense_h"] = {"kernel": pack(_turned(gates.u), letters, 1)}
    found["dense_h" if inner else "dense_i"]["bias"] = pack(bias, letters, 0)
    return found


Kernels = Callable[[str, str], str]
Take = Callable[[str], np.ndarray | None]


def _kernels(cell: Cell, letters: str, given: Mapping[str, Any]) -> Kernels:
    """(gate, "i" or "h") -> Flax's name of the module; NNX calls "if_" what is a keyword of Python."""
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
    complete = all(len(arrays) == len(letters) for arrays in found.values())
    return Gates(found["i"], found["h"], biases["i"], biases["h"]) if complete else None


def _read_fused(cell: Cell, letters: str, name: Kernels, take: Take) -> Gates | None:
    size = cell.hidden_size
    parts: list[Any] = []
    for dense in ("dense_i", "dense_h"):
        kernel, bias = take(f"{dense}/kernel"), take(f"{dense}/bias")
        if kernel is None:
            return None
        parts.append(_turned(split(kernel, letters, size, 1, f"{dense}/kernel")))
        parts.append({} if bias is None else split(bias, letters, size, 0, f"{dense}/bias"))
    return Gates(w=parts[0], u=parts[2], b=parts[1], c=parts[3])


def _write_named(cell: Cell, params: Params, letters: str, forget: str) -> dict[str, Any]:
    """Linen's tree, which NNX's LSTMCell shares but for one name. LSTMs have the bias beside U h, others beside W x."""
    gates = from_params(cell, params)
    names = {g: g for g in letters} | NAMES.get(type(cell).__name__, {})
    inner, lstm = inner_bias(cell), len(letters) == 4
    found: dict[str, Any] = {}
    for g in letters:
        i, h = "i" + names[g], "h" + names[g]
        found[f"{forget if i == 'if' else i}/kernel"], found[f"{h}/kernel"] = gates.w[g].T, gates.u[g].T
        found[f"{h}/bias" if lstm else f"{i}/bias"] = gates.b[g]
        if g == inner:
            found[f"{h}/bias"] = gates.c[g]
    return unnest(found)


def _turned(parts: Arrays) -> Arrays:
    """Flax's kernels are (inputs, outputs)."""
    return {g: a.T for g, a in parts.items()}
