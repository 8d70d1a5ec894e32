"""What the kernels of all routes share: a `Body` cut down to what it reads, blocks of lanes, and one step."""

import abc
import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend import core

from rnnzoo.jaxprs import is_literal
from rnnzoo.typing import Array
from rnnzoo.unrolls.fused.bodies import Body

Lanes = list[Array]


class Streams(NamedTuple):
    """The arrays of a loop, in lists: of L lanes, or of T steps of them."""

    ones: Lanes  # (L,), what does not change
    carry: Lanes  # (L,), before the first step
    rows: Lanes  # (T, L)
    before: Lanes  # (T, L); a step gets the row at t - 1
    first: Lanes  # (L,), what it gets of these at t = 0


class Route(abc.ABC):
    """A way to compile the loop over time into one kernel. Subclasses are frozen dataclasses of what can be tuned."""

    platform: ClassVar[str]
    """What XLA calls the platform that it compiles for."""
    needs: ClassVar[str]
    """What device it needs, in words."""
    block: tuple[int, ...]
    """The lanes of one program, as an array of this shape."""

    @abc.abstractmethod
    def runs_on(self, device: Any) -> bool:
        """Whether that device of JAX can run it."""

    @abc.abstractmethod
    def scan(self, loop: "Loop", streams: Streams) -> Lanes:
        """The outs (T, *lanes) of the loop, then its last carry. `streams` have `lanes` in whole blocks."""


@dataclasses.dataclass(frozen=True)
class Loop:
    """What a kernel repeats."""

    body: Callable[..., list[Array]]  # on one block of lanes: ones, carry, row, before -> carry, outs
    outs: tuple[Any, ...]  # dtypes
    carries: int
    steps: int
    is_reversed: bool

    def advance(self, t: Any, ones: Lanes, carry: Lanes, first: Lanes, row: Lanes, before: Lanes) -> tuple[Any, Any]:
        """One step: the next carry, and the outs. `before` may be anything at t = 0."""
        old = [pick(t > 0, a, b.astype(a.dtype)) for a, b in zip(before, first, strict=True)]
        found = self.body(*ones, *carry, *row, *old)
        new = [a.astype(b.dtype) for a, b in zip(found[: self.carries], carry, strict=True)]
        return new, found[self.carries :]

    def types(self, lanes: tuple[int, ...], carry: Lanes) -> list[jax.ShapeDtypeStruct]:
        """Of all results."""
        outs = [jax.ShapeDtypeStruct((self.steps, *lanes), dtype) for dtype in self.outs]
        return outs + [jax.ShapeDtypeStruct(lanes, a.dtype) for a in carry]


def lane_scan(
    route: Route | None, body: Body, streams: Streams, steps: int, is_reversed: bool = False
) -> tuple[Lanes, Lanes]:
    """The last carry, and the outs (T, L), of a `Body` over T > 0 steps; without a route by `lax.scan`, which has every
    derivative."""
    lanes = streams.carry[0].shape[-1]
    block = (lanes,) if route is None else route.block
    found, used = _used(body, block)
    marks = [*used, used[3]]  # `first` belongs to `before`
    kept = Streams(*(list(itertools.compress(some, mark)) for some, mark in zip(streams, marks, strict=True)))
    loop = Loop(found, body.outs, len(streams.carry), steps, is_reversed)
    if route is None:
        return _plain(loop, kept)
    size = math.prod(block)
    blocks = -(-lanes // size)

    def tiled(a: Array) -> Array:
        padded = jnp.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, blocks * size - lanes)]) if lanes % size else a
        return padded.reshape(*a.shape[:-1], blocks * block[0], *block[1:])

    results = route.scan(loop, jax.tree.map(tiled, kept))
    flat = [a.reshape(*a.shape[: a.ndim - len(block)], -1)[..., :lanes] for a in results]
    return flat[len(body.outs) :], flat[: len(body.outs)]


def _plain(loop: Loop, streams: Streams) -> tuple[Lanes, Lanes]:
    def step(carry: Lanes, inputs_t: Any) -> tuple[Lanes, Lanes]:
        carry, outs = loop.advance(1, streams.ones, carry, streams.first, *inputs_t)
        return carry, [a.astype(dtype) for a, dtype in zip(outs, loop.outs, strict=True)]

    def later(a: Array, first: Array) -> Array:
        return jnp.concatenate([first[None].astype(a.dtype), a[:-1]])

    before = list(map(later, streams.before, streams.first))
    return lax.scan(step, streams.carry, (streams.rows, before), loop.steps, loop.is_reversed)


def _used(body: Body, block: tuple[int, ...]) -> tuple[Callable[..., list[Array]], list[list[bool]]]:
    """The body as a function of what it reads, on one block; and which of its arguments, in four groups, these are.

    A gradient of an affine step reads no states, say; then they are not loaded."""
    closed = jax.make_jaxpr(body.function)(*(jax.ShapeDtypeStruct(block, dtype) for dtype in body.dtypes))
    jaxpr = closed.jaxpr
    needed, eqns = {a for a in jaxpr.outvars if not is_literal(a)}, []
    for eqn in reversed(jaxpr.eqns):
        if any(var in needed for var in eqn.outvars):
            eqns.append(eqn)
            needed |= {a for a in eqn.invars if not is_literal(a)}
    sizes = [len(body.ones), len(body.carry), len(body.row), len(body.before)]
    marks = iter(var in needed for var in jaxpr.invars)
    used = [[next(marks) for _ in range(size)] for size in sizes]
    used[1] = [True] * sizes[1]
    invars = list(itertools.compress(jaxpr.invars, itertools.chain(*used)))
    names = jaxpr.debug_info.with_unknown_names()
    less = jaxpr.replace(invars=invars, eqns=eqns[::-1], debug_info=names)
    return core.jaxpr_as_fun(core.ClosedJaxpr(less, closed.consts)), used


# ---- in kernels ----------------------------------------------------------------------------------------


def pick(condition: Any, a: Array, b: Array) -> Array:
    """`jnp.where` of a single condition, which no kernel language takes as it is."""
    return a if condition is True else jnp.where(jnp.broadcast_to(condition, a.shape), a, b)


def put(references: Sequence[Any], index: Any, values: Lanes) -> None:
    """Store values, each in the dtype of its reference."""
    for reference, value in zip(references, values, strict=True):
        reference[index] = value.astype(reference.dtype)


def cut(items: Sequence[Any], *counts: int) -> list[list[Any]]:
    """The first so many, the next so many, and the rest."""
    ends = [0, *itertools.accumulate(counts), len(items)]
    return [list(items[a:b]) for a, b in itertools.pairwise(ends)]


__all__ = ["Lanes", "Loop", "Route", "Streams", "cut", "lane_scan", "pick", "put"]
