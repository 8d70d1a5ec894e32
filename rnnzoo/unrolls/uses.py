"""What a step does with its recurrent matrices and parameters, from what it asks of `recur` and reads in one run on
shapes alone."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
from jax import lax

from rnnzoo.cells.base import Cell
from rnnzoo.cells.recur import Site, leaf
from rnnzoo.typing import Array, Control, Params, PyTree, State, widen
from rnnzoo.unrolls.base import advance, plain_sums

Each = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Maps a function of one lane over all of them, or not."""


@dataclasses.dataclass(frozen=True)
class Uses:
    """What a step uses, and how."""

    together: tuple[tuple[str, ...], ...]  # gates that hear one vector in one call
    sources: dict[Site, int]  # the leaf of the state that a matrix is applied to, where it is one
    summands: tuple[str, ...]  # gates whose leaf of z_t is added to U v, and belongs to nothing else
    read: tuple[str, ...]  # the entries of the other parameters that the step reads


def uses_of(
    cell: Cell, each: Each, us: dict[str, PyTree], rest: Params, initial: State | None, state: State, zs: PyTree,
    controls: Control,
) -> Uses:  # fmt: skip
    """The `Uses` of a step of `cell`; arguments as of `rnnzoo.unrolls.recurrence`."""
    together, sources, read = [], {}, set()

    def look(state: State, z_t: PyTree, control_t: Control) -> State:
        plain, leaves = plain_sums(cell, us, widen(z_t)), jax.tree.leaves(state)

        def sums(heard: dict[Site, Array]) -> dict[Site, Array]:
            together.extend(tuple(site[0] for site in sites) for sites in by_vector(heard))
            for site, vector in heard.items():
                sources.update((site, k) for k, a in enumerate(leaves) if a is vector)
            return plain(heard)

        watched: Any = Watched(rest, read)
        return advance(cell, watched, state, z_t, control_t, initial, sums)

    def body(state: State, inputs_t: Any) -> tuple[State, None]:
        return each(look)(state, *inputs_t), None

    # A whole loop, over the arrays themselves: types are right where there is no step, and on explicit meshes.
    jax.eval_shape(lambda: lax.scan(body, state, (zs, controls)))
    summands = tuple(gate for gate in us if leaf(zs, gate) is not None)
    return Uses(tuple(dict.fromkeys(together)), sources, summands, tuple(sorted(read)))


def by_vector(heard: dict[Site, Array]) -> list[list[Site]]:
    """The sites in groups that hear one and the same vector."""
    groups: dict[int, list[Site]] = {}
    for site, vector in heard.items():
        groups.setdefault(id(vector), []).append(site)
    return list(groups.values())


class Watched(Mapping[str, Any]):
    """Parameters that note which of their entries are read."""

    def __init__(self, params: Params, read: set[str]):
        self.params, self.read = params, read

    def __getitem__(self, name: str) -> Any:
        value = self.params[name]
        self.read.add(name)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self.params

    def __iter__(self) -> Iterator[str]:  # who asks for all names, as ``{**params}`` does, may read all
        self.read.update(self.params)
        return iter(self.params)

    def __len__(self) -> int:
        return len(self.params)


def _flatten(watched: Watched) -> Any:
    return [watched[name] for name in watched], tuple(watched.params)


jax.tree_util.register_pytree_node(Watched, _flatten, lambda names, leaves: dict(zip(names, leaves, strict=True)))  # pyright: ignore


__all__ = ["Each", "Uses", "Watched", "by_vector", "uses_of"]
