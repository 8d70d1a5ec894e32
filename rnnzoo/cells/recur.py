"""The recurrent product, as a step is handed it: ``a = recur(vector)``, a[gate] = z_t[gate] + U_gate vector.

Names of recurrent matrices are paths: "i" is ``params["u"]["i"]``, and "slow.i", of an inner cell, is
``params["slow"]["u"]["i"]``. What an unroll needs to know (which gates hear one vector, which hear a vector of the
state, what a product is added to) the calls themselves say, so that no unroll reads a step's program.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import get_opaque_trace_state

from rnnzoo.spec import UsageError, suggest
from rnnzoo.typing import Array, Params, PyTree

Heard = Any  # a vector for all gates, or {gate: vector}
Recur = Callable[[Heard], dict[str, Array]]
"""``recur(vector)`` for all gates, or ``recur({gate: vector})``: {gate: z_t[gate] + U_gate vector}, or U_gate vector
alone where z_t has no such leaf. Sums have the dtype of the vector, at least float32."""
Site = tuple[str, int]  # a gate, and which of its uses in one step this is, from 0
Sums = Callable[[dict[Site, Array]], dict[Site, Array]]  # from what U is multiplied by, to z_t[gate] + U_gate vector


class Calls:
    """The `recur` of one step of the cell named `owner`: it numbers the uses of each gate and leaves the arithmetic to
    `sums`. Refuses what no unroll could differentiate: a call inside control flow or a transformation."""

    def __init__(self, owner: str, names: tuple[str, ...], sums: Sums):
        self.owner, self.names, self.sums = owner, names, sums
        self.uses = dict.fromkeys(names, 0)
        self.trace = get_opaque_trace_state()

    def __call__(self, heard: Heard) -> dict[str, Array]:
        if not self.names:
            raise UsageError(f"step of {self.owner} calls recur, but the cell has no recurrent matrix U")
        if get_opaque_trace_state() != self.trace:
            raise UsageError(
                f"step of {self.owner} calls recur inside lax.cond, lax.scan, jax.jit, jax.checkpoint, jax.vmap or the "
                "like; accepted: calls at the top level of step, whose results may then go anywhere"
            )
        named: dict[str, Any] = heard if isinstance(heard, dict) else dict.fromkeys(self.names, heard)
        for gate, vector in named.items():
            self._check(gate, vector)
        sites = {gate: (gate, self.uses[gate]) for gate in named}
        for gate in named:
            self.uses[gate] += 1
        found = self.sums({site: named[gate] for gate, site in sites.items()})
        return {gate: found[site] for gate, site in sites.items()}

    def _check(self, gate: str, vector: Any) -> None:
        if gate not in self.uses:
            raise UsageError(f"step of {self.owner} calls recur for {gate!r}; {suggest(gate, self.names)}")
        if not hasattr(vector, "dtype") or not jnp.issubdtype(vector.dtype, jnp.floating) or vector.ndim != 1:
            what = f"{vector.dtype} of {vector.shape}" if hasattr(vector, "dtype") else type(vector).__name__
            raise UsageError(
                f"step of {self.owner} gives recur {what} for {gate!r}; accepted: a vector of real numbers"
            )


# ---- for wrappers ----------------------------------------------------------------------------------------


def hearing(recur: Recur, function: Callable[[Array], Array]) -> Recur:
    """`recur` with `function` applied to what is heard, once for each distinct vector: U f(v)."""

    def changed(heard: Heard) -> dict[str, Array]:
        if not isinstance(heard, dict):
            return recur(function(heard))
        done = {id(vector): function(vector) for vector in heard.values()}
        return recur({gate: done[id(vector)] for gate, vector in heard.items()})

    return changed


def adding(recur: Recur, z_t: PyTree) -> Recur:
    """`recur` for an inner cell whose z_t is another than the outermost one, which must not have its gates as leaves:
    what is added to U v are the leaves of this z_t."""

    def changed(heard: Heard) -> dict[str, Array]:
        return {gate: a if (z := leaf(z_t, gate)) is None else z + a for gate, a in recur(heard).items()}

    return changed


def scoped(recur: Recur, scope: str, names: tuple[str, ...]) -> Recur:
    """`recur` for an inner cell whose parameters are ``params[scope]``, and whose matrices are called `names` there."""

    def changed(heard: Heard) -> dict[str, Array]:
        named = heard if isinstance(heard, dict) else dict.fromkeys(names, heard)
        found = recur({f"{scope}.{gate}": vector for gate, vector in named.items()})
        return {gate: found[f"{scope}.{gate}"] for gate in named}

    return changed


# ---- for unrolls -----------------------------------------------------------------------------------------


def leaf(z_t: PyTree, name: str) -> Array | None:
    """What z_t has under the name of a matrix, as a path; None if it has nothing there."""
    for part in name.split("."):
        if not isinstance(z_t, dict) or part not in z_t:
            return None
        z_t = dict.__getitem__(z_t, part)
    return z_t


def matrices(params: Params, names: tuple[str, ...]) -> tuple[dict[str, PyTree], Params]:
    """The recurrent matrices by name, and the parameters without them."""
    found = {name: _lookup(params, _place(name)) for name in names}
    rest = params
    for place in sorted({_place(name)[:-1] for name in names}):
        rest = _without(rest, place)
    return found, rest


def with_matrices(params: Params, us: dict[str, PyTree]) -> Params:
    """The parameters with these in place of their recurrent matrices, by name."""
    for name, u in us.items():
        params = _with(params, _place(name), u)
    return params


def _with(tree: Params, place: tuple[str, ...], value: PyTree) -> Params:
    first, *rest = place
    return {**tree, first: _with(tree[first], tuple(rest), value) if rest else value}


def _place(name: str) -> tuple[str, ...]:
    *scopes, gate = name.split(".")
    return (*scopes, "u", gate)


def _lookup(tree: Params, place: tuple[str, ...]) -> Any:
    for part in place:
        tree = tree[part]
    return tree


def _without(tree: Params, place: tuple[str, ...]) -> Params:
    first, *rest = place
    if not rest:
        return {name: value for name, value in tree.items() if name != first}
    return {**tree, first: _without(tree[first], tuple(rest))}


class Summands(dict):
    """z_t without the leaves that `recur` adds. Reading one is refused: unrolls do not keep it apart from its sum."""

    owner: str
    added: tuple[str, ...]

    @classmethod
    def of(cls, owner: str, z_t: PyTree, names: tuple[str, ...]) -> PyTree:
        """z_t as a step may read it."""
        if not isinstance(z_t, dict):
            return z_t
        nested = {name.partition(".")[0]: [] for name in names if "." in name}
        for name in names:
            scope, dot, inner = name.partition(".")
            if dot:
                nested[scope].append(inner)
        rest = {k: v for k, v in z_t.items() if k not in names}
        rest |= {k: cls.of(owner, z_t[k], tuple(inner)) for k, inner in nested.items() if k in z_t}
        return cls._made(owner, tuple(n for n in names if n in z_t), rest)

    @classmethod
    def _made(cls, owner: str, added: tuple[str, ...], rest: dict[str, Any]) -> "Summands":
        made = cls(rest)
        made.owner, made.added = owner, added
        return made

    def __missing__(self, name: Any) -> Any:
        if name in self.added:
            raise UsageError(
                f"step of {self.owner} reads z_t[{name!r}], which recur adds to U v; accepted: a = recur(v) and "
                f"a[{name!r}], or another name for that leaf in project"
            )
        raise KeyError(name)

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key] if key in self.added else super().get(key, default)


def _flatten(z_t: Summands) -> Any:
    names = sorted(z_t)
    return [(jax.tree_util.DictKey(n), dict.__getitem__(z_t, n)) for n in names], (z_t.owner, z_t.added, tuple(names))


def _unflatten(aux: Any, leaves: Any) -> Summands:
    owner, added, names = aux
    return Summands._made(owner, added, dict(zip(names, leaves, strict=True)))


jax.tree_util.register_pytree_with_keys(Summands, _flatten, _unflatten)


__all__ = [
    "Calls", "Heard", "Recur", "Site", "Summands", "Sums", "adding", "hearing", "leaf", "matrices", "scoped",
    "with_matrices",
]  # fmt: skip
