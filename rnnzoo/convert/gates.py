"""The form between our parameters and another library's: numpy arrays, one for each gate, U dense, two biases."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Cell, structure_of
from rnnzoo.run import check_params, expected_params
from rnnzoo.spec import UsageError, find
from rnnzoo.structures.base import Structure
from rnnzoo.structures.nearest import dependence, nearest
from rnnzoo.typing import Params

Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Converted:
    """Parameters from another library."""

    params: Params
    """Parameters of the cell or the model that was asked for. Biases that the source's layers do not have are what
    these compute without: 0 (and 1 for the b.f of Haiku's LSTM). Other parameters named in `missing` are not there."""
    unused: tuple[str, ...]
    """Keys of the source that no parameter came from."""
    missing: tuple[str, ...]
    """Parameters that the source has no weights for, such as "head.w" or "b.i"; for torch also the sums of two biases
    of which the source has one."""


@dataclasses.dataclass(frozen=True)
class Gates:
    """One cell, gate by gate: W x + b and U h + c of each. Where the two are simply added, only b + c matters. A gate
    that b or c leaves out has no such bias in the other library's weights."""

    w: Arrays  # (H, I)
    u: Arrays  # (H, H); (H, P) with a projection
    b: Arrays  # (H,)
    c: Arrays  # (H,)
    p: np.ndarray | None = None  # (P, H), the projection of h, if there is one


def order(cell: Cell, orders: Mapping[str, str], library: str, reasons: Mapping[str, str]) -> str:
    """The order in which a library packs this cell's gates, one letter each; `UsageError` if it has no such cell."""
    name = type(cell).__name__
    if name in orders and find("cells", name) is type(cell):
        return orders[name]
    why = reasons.get(name, f"{library} has no cell with the equations of {name}")
    raise UsageError(f"{name} cannot be converted exactly: {why}; accepted: {', '.join(sorted(orders))}")


def to_params(cell: Cell, gates: Gates, where: str) -> Params:
    """Our parameters, in the default precision. `UsageError` if the cell's structure or lack of biases cannot hold
    these weights."""
    shape = next(iter(gates.w.values())).shape
    if len(shape) != 2:
        raise UsageError(f"W of {where} has shape {shape} for each gate; accepted: (H, I)")
    params: Params = {"w": {g: jnp.asarray(a, float) for g, a in gates.w.items()}}
    if gates.p is None:
        params["u"] = {g: _structured(cell, u, f"U of gate {g} in {where}") for g, u in gates.u.items()}
    else:
        params["v"] = {g: jnp.asarray(u, float) for g, u in gates.u.items()}
        params["p"] = jnp.asarray(gates.p, float)
    inner, none = inner_bias(cell), np.zeros(cell.hidden_size)
    bias: Arrays = {}
    for g in gates.w:
        added_up = [part[g] for part in (gates.b, {} if g == inner else gates.c) if g in part]
        bias[g] = np.asarray(sum(added_up) if added_up else none)
    if inner is not None:
        bias["c"] = gates.c.get(inner, none)
    if cell.bias:
        found = {g: jnp.asarray(a, float) for g, a in bias.items()}
        params |= ({"c": found.pop("c")} if inner is not None else {}) | {"b": found}
    elif any(np.any(a) for a in bias.values()):
        raise UsageError(f"{where} has biases, and {type(cell).__name__} has bias=False; accepted: bias=True")
    check_params(cell, params, shape[1])
    return params


def lacking(cell: Cell, gates: Gates) -> tuple[str, ...]:
    """The names of the cell's biases that the other library's weights have nothing for."""
    if not cell.bias:
        return ()
    inner = inner_bias(cell)
    names = {f"b.{g}" for g in gates.w if g not in gates.b and (g == inner or g not in gates.c)}
    return tuple(sorted(names | ({"c"} if inner is not None and inner not in gates.c else set())))


def from_params(cell: Cell, params: Params) -> Gates:
    """The same from our parameters; a structured U becomes a dense matrix."""
    check_params(cell, params, np.shape(next(iter(params["w"].values())))[-1])
    size = cell.hidden_size
    zeros = np.zeros(size, np.result_type(np.asarray(next(iter(params["w"].values())))))
    return Gates(
        w={g: np.asarray(a) for g, a in params["w"].items()},
        u={g: _dense(cell, u) for g, u in params["u" if "u" in params else "v"].items()},
        b={g: np.asarray(params["b"][g]) if cell.bias else zeros for g in params["w"]},
        c={g: np.asarray(params["c"]) if cell.bias and inner_bias(cell) == g else zeros for g in params["w"]},
        p=np.asarray(params["p"]) if "p" in params else None,
    )


def _dense(cell: Cell, u: Any) -> np.ndarray:
    structure = structure_of(cell)
    return np.asarray(u if structure is None else structure.matrix(u, cell.hidden_size))


def inner_bias(cell: Cell) -> str | None:
    """The gate whose recurrent bias c does more than add to b: that of a GRU which resets after U."""
    return "n" if "c" in expected_params(dataclasses.replace(cell, bias=True), 1) else None


def projects(cell: Cell) -> bool:
    """Whether the cell projects h, so that its gates hear P numbers."""
    return "p" in expected_params(cell, 1)


def added(gates: Gates, what: str) -> Arrays:
    """b + c of every gate, for a format with one bias; `UsageError` if it has no room for a GRU's c."""
    if inner := [g for g, c in gates.c.items() if np.any(c)]:
        raise UsageError(f"{what} has no room for the bias c inside the reset of gate {inner[0]}; accepted: c = 0")
    return gates.b


def _structured(cell: Cell, dense: np.ndarray, what: str) -> Any:
    structure = structure_of(cell)
    assert structure is not None
    u, error = nearest(dense, structure)
    if not error <= 100 * jnp.finfo(jnp.result_type(float)).eps:
        accepted = "accepted: structures.Dense(), or a structure that holds it"
        if _searched(structure, len(dense)):
            raise UsageError(
                f"{what} was not found among the matrices of {structure}: the nearest one found differs by {error:.2g} "
                "of its norm. They are searched by descents, which can miss even a matrix that the structure has "
                f"(rnnzoo.structures.nearest.nearest); {accepted}"
            )
        raise UsageError(
            f"{what} is no matrix of {structure}: the nearest one differs by {error:.2g} of its norm; {accepted}"
        )
    return u


def _searched(structure: Structure, size: int) -> bool:
    """Whether `nearest` has no formula for this structure, and so no promise of the nearest member."""
    own = type(structure).nearest is not Structure.nearest
    return not own and dependence(structure, size) == "nonlinear"


# ---- arrays and names ------------------------------------------------------------------------------------


def array(value: Any) -> np.ndarray:
    """A numpy array from a torch tensor, a JAX array, a Flax variable or a nested list."""
    if hasattr(value, "detach"):  # a torch tensor; numpy has no bfloat16, and widening it is exact
        value = value.detach().cpu()
        value = value.float() if "bfloat16" in str(value.dtype) else value
    found = np.asarray(value)
    return found.astype(np.float32) if found.dtype.name == "bfloat16" else found


def mapping(source: Any, accepted: str) -> Mapping[Any, Any]:
    """`source`, if it holds weights by name; else `UsageError`, which says how to get them from a module."""
    if isinstance(source, Mapping):
        return source
    raise UsageError(f"source is of type {type(source).__name__}; accepted: {accepted}")


def flat(tree: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """A nested dict as {"a/b/kernel": leaf}."""
    found = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        found |= flat(value, name + "/") if isinstance(value, Mapping) else {name: value}
    return found


def unnest(found: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `flat`."""
    tree: dict[str, Any] = {}
    for name, value in found.items():
        *path, last = name.split("/")
        inner = tree
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return tree


def only(prefixes: set[str], given: str | None, keys: Any, wanted: str) -> str:
    """The one prefix under which the weights are, or the one the user chose; `UsageError` if that is not clear."""
    if given is not None and given in prefixes:
        return given
    names = ", ".join(sorted(map(str, keys))[:8]) or "none"
    if given is not None or not prefixes:
        at = "" if given is None else f" under the prefix {given!r}"
        raise UsageError(f"no {wanted}{at}; the keys are {names}")
    if len(prefixes) > 1:
        raise UsageError(f"{wanted} is there more than once; accepted: prefix= one of {sorted(prefixes)}")
    return next(iter(prefixes))


def split(packed: np.ndarray, gates: str, size: int, axis: int, key: str) -> Arrays:
    """One array for each gate, from all of them packed along `axis`."""
    if packed.ndim <= axis or packed.shape[axis] != len(gates) * size:
        raise UsageError(
            f"{key} has shape {packed.shape}; accepted: {len(gates)} gates of {size} units, "
            f"{len(gates) * size} along axis {axis}"
        )
    return dict(zip(gates, np.split(packed, len(gates), axis), strict=True))


def pack(parts: Arrays, gates: str, axis: int) -> np.ndarray:
    """The inverse of `split`."""
    return np.concatenate([parts[g] for g in gates], axis)
