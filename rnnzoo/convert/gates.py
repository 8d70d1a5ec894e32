"""The common form of all conversions: numpy arrays, one for each gate, with dense U and two biases."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from rnnzoo.arguments import check_params, expected_params
from rnnzoo.cells.base import Cell
from rnnzoo.spec import UsageError, find
from rnnzoo.structures.base import Structure
from rnnzoo.structures.nearest import dependence, nearest
from rnnzoo.typing import Params

Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Converted:
    """Parameters from another library."""

    params: Params
    """Parameters of the cell or model. A bias that the source does not have gets the value that leaves the layer's
    outputs as they are: 0, or 1 for b.f of Haiku's LSTM. Other parameters named in `missing` are left out."""
    unused: tuple[str, ...]
    """Keys of the source that were not used."""
    missing: tuple[str, ...]
    """Parameters that the source has no weights for, such as "head.w" or "b.i". For torch, also each b for which the
    source has only one of two biases."""


@dataclasses.dataclass(frozen=True)
class Gates:
    """The weights of one cell: gate g computes W_g x + b_g and U_g h + c_g. Most gates add the two, so that only
    b + c matters. A gate that is not in `b` or `c` has no such bias in the other library's weights."""

    w: Arrays  # (H, I)
    u: Arrays  # (H, H); (H, P) with a projection
    b: Arrays  # (H,)
    c: Arrays  # (H,)
    p: np.ndarray | None = None  # (P, H), the projection of h, if there is one


def gate_order(cell: Cell, orders: Mapping[str, str], library: str, reasons: Mapping[str, str]) -> str:
    """The order in which a library packs the gates of `cell`, one letter each. `UsageError` if it has no such cell;
    `reasons` says why, by name of the cell."""
    name = type(cell).__name__
    if name in orders and find("cells", name) is type(cell):
        return orders[name]
    why = reasons.get(name, f"{library} has no cell with the equations of {name}")
    raise UsageError(f"{name} cannot be converted exactly: {why}; accepted: {', '.join(sorted(orders))}")


def to_params(cell: Cell, gates: Gates, where: str) -> Params:
    """The parameters of `cell`, in JAX's default precision. `UsageError` if they cannot hold these weights: U does not
    have the structure, or there are biases and the cell has none. `where` names the source in the message."""
    shape = next(iter(gates.w.values())).shape
    if len(shape) != 2:
        raise UsageError(f"W of {where} has shape {shape} for each gate; accepted: (H, I)")
    params: Params = {"w": {g: jnp.asarray(a, float) for g, a in gates.w.items()}}
    if gates.p is None:
        params["u"] = {g: _structured_u(cell, g, u, f"U of gate {g} in {where}") for g, u in gates.u.items()}
    else:
        params["v"] = {g: jnp.asarray(u, float) for g, u in gates.u.items()}
        params["p"] = jnp.asarray(gates.p, float)
    inner, zeros = inner_bias_gate(cell), np.zeros(cell.hidden_size)
    bias: Arrays = {}
    for g in gates.w:
        terms = [biases[g] for biases in (gates.b, {} if g == inner else gates.c) if g in biases]
        bias[g] = np.asarray(sum(terms) if terms else zeros)
    if inner is not None:
        bias["c"] = gates.c.get(inner, zeros)
    if cell.bias:
        found = {g: jnp.asarray(a, float) for g, a in bias.items()}
        params |= ({"c": found.pop("c")} if inner is not None else {}) | {"b": found}
    elif any(np.any(a) for a in bias.values()):
        raise UsageError(f"{where} has biases, but {type(cell).__name__} has bias=False; accepted: bias=True")
    check_params(cell, params, shape[1])
    return params


def missing_biases(cell: Cell, gates: Gates) -> tuple[str, ...]:
    """The names of the biases of `cell` that the other library's weights do not have."""
    if not cell.bias:
        return ()
    inner = inner_bias_gate(cell)
    names = {f"b.{g}" for g in gates.w if g not in gates.b and (g == inner or g not in gates.c)}
    return tuple(sorted(names | ({"c"} if inner is not None and inner not in gates.c else set())))


def from_params(cell: Cell, params: Params) -> Gates:
    """The inverse of `to_params`: a structured U becomes a dense matrix."""
    check_params(cell, params, np.shape(next(iter(params["w"].values())))[-1])
    size = cell.hidden_size
    zeros = np.zeros(size, np.result_type(np.asarray(next(iter(params["w"].values())))))
    return Gates(
        w={g: np.asarray(a) for g, a in params["w"].items()},
        u={g: _dense_u(cell, g, u) for g, u in params["u" if "u" in params else "v"].items()},
        b={g: np.asarray(params["b"][g]) if cell.bias else zeros for g in params["w"]},
        c={g: np.asarray(params["c"]) if cell.bias and inner_bias_gate(cell) == g else zeros for g in params["w"]},
        p=np.asarray(params["p"]) if "p" in params else None,
    )


def _dense_u(cell: Cell, gate: str, u: Any) -> np.ndarray:
    structure = cell.structures.get(gate)
    return np.asarray(u if structure is None else structure.matrix(u, cell.hidden_size))


def inner_bias_gate(cell: Cell) -> str | None:
    """The gate whose recurrent bias c is a parameter by itself, not a part of b: n of a GRU that resets after U."""
    return "n" if "c" in expected_params(dataclasses.replace(cell, bias=True), 1) else None


def has_projection(cell: Cell) -> bool:
    """Whether the cell projects h (H,) to (P,), which is what its gates read."""
    return "p" in expected_params(cell, 1)


def single_bias(gates: Gates, what: str) -> Arrays:
    """The biases for a format that has one for each gate. `UsageError` if a GRU's c, which it cannot hold, is not 0."""
    if inner := [g for g, c in gates.c.items() if np.any(c)]:
        raise UsageError(f"{what} has no bias inside the reset of gate {inner[0]}, and c is not 0; accepted: c = 0")
    return gates.b


def _structured_u(cell: Cell, gate: str, dense: np.ndarray, what: str) -> Any:
    structure = cell.structure_of(gate)
    u, error = nearest(dense, structure)
    if not error <= 100 * jnp.finfo(jnp.result_type(float)).eps:
        accepted = "accepted: structures.Dense(), or another structure that contains it"
        if _found_by_search(structure, len(dense)):
            raise UsageError(
                f"{what} was not found among the matrices of {structure}: the nearest one found differs by {error:.2g} "
                "of its norm. The search (rnnzoo.structures.nearest.nearest) can miss even a matrix that the structure "
                f"contains; {accepted}"
            )
        raise UsageError(
            f"{what} is not a matrix of {structure}: the nearest one differs by {error:.2g} of its norm; {accepted}"
        )
    return u


def _found_by_search(structure: Structure, size: int) -> bool:
    """Whether `nearest` has no formula for this structure but searches, and may so miss the nearest member."""
    has_formula = type(structure).nearest is not Structure.nearest
    return not has_formula and dependence(structure, size) == "nonlinear"


# ---- arrays and names ------------------------------------------------------------------------------------


def to_numpy(value: Any, name: str) -> np.ndarray:
    """A numpy array of floating point from a torch tensor, a JAX array, a Flax variable or a nested list.

    `UsageError`, with the `name` of the weights, for other numbers than real ones, and for those that are not finite in
    JAX's default precision. Integers become float64, in which sums of them do not overflow."""
    if hasattr(value, "detach"):  # a torch tensor. numpy has no bfloat16; float32 holds its values exactly
        value = value.detach().cpu()
        value = value.float() if "bfloat16" in str(value.dtype) else value
    found = np.asarray(value)
    if found.dtype.name == "bfloat16":
        found = found.astype(np.float32)
    if found.dtype.kind not in "fiu":
        raise UsageError(f"{name} is {found.dtype}; accepted: real numbers")
    found = found.astype(np.float64) if found.dtype.kind in "iu" else found
    with np.errstate(over="ignore"):
        if not np.isfinite(found.astype(jnp.result_type(float))).all():
            raise UsageError(
                f"{name} has numbers that are not finite in {jnp.result_type(float)}; accepted: finite ones"
            )
    return found


def require_mapping(source: Any, accepted: str) -> Mapping[Any, Any]:
    """`source` if it is a mapping. Otherwise a `UsageError` that says what is `accepted`."""
    if isinstance(source, Mapping):
        return source
    raise UsageError(f"source is of type {type(source).__name__}; accepted: {accepted}")


def flatten(tree: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """A nested dict as {"a/b/kernel": leaf}."""
    found = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        found |= flatten(value, name + "/") if isinstance(value, Mapping) else {name: value}
    return found


def unflatten(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `flatten`."""
    tree: dict[str, Any] = {}
    for name, value in leaves.items():
        *path, last = name.split("/")
        inner = tree
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return tree


def find_prefix(prefixes: set[str], given: str | None, keys: Any, wanted: str) -> str:
    """The prefix `given` by the user, or else the only one of the `prefixes` that were found before `wanted` weights.

    `UsageError` if the one given was not found, or if none is given and there is not exactly one."""
    if given is not None and given in prefixes:
        return given
    if given is not None or not prefixes:
        under = "" if given is None else f" under the prefix {given!r}"
        raise UsageError(f"the source has no {wanted}{under}; its keys: {_some(keys)}")
    if len(prefixes) > 1:
        raise UsageError(f"the source has {wanted} more than once; accepted: prefix= one of {sorted(prefixes)}")
    return next(iter(prefixes))


def require_keys(needed: Iterable[str], source: Mapping[Any, Any]) -> None:
    """Raise `UsageError` that names the `needed` keys which the source does not have."""
    if missing := [key for key in needed if key not in source]:
        raise UsageError(f"the source lacks {', '.join(missing)}; its keys: {_some(source)}")


def _some(keys: Iterable[Any]) -> str:
    """The first few keys, for a message."""
    return ", ".join(sorted(map(str, keys))[:8]) or "none"


def unpack(packed: np.ndarray, gates: str, size: int, axis: int, key: str) -> Arrays:
    """Gate -> its array, from one array with all gates along `axis`. `key` names it in the message."""
    if packed.ndim <= axis or packed.shape[axis] != len(gates) * size:
        raise UsageError(
            f"{key} has shape {packed.shape}; accepted: {len(gates)} gates of {size} units, "
            f"{len(gates) * size} along axis {axis}"
        )
    return dict(zip(gates, np.split(packed, len(gates), axis), strict=True))


def pack(parts: Arrays, gates: str, axis: int) -> np.ndarray:
    """The inverse of `unpack`."""
    return np.concatenate([parts[g] for g in gates], axis)
