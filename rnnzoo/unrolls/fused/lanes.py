"""Functions of vectors as functions of lanes.

A lane is one unit of one sequence. A vector (P * width,) is P lanes side by side, called its parts: one if the units of
a cell do not meet, two if its real and imaginary parts do. A function whose every operation acts on each entry by
itself, or moves whole parts, is evaluated on arrays of any number of lanes in place of the entries."""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend import core

from rnnzoo.jaxprs import ELEMENTWISE, inner_jaxpr, is_literal
from rnnzoo.typing import Array
from rnnzoo.unrolls.fused.portable import SUBSTITUTES

MOST_PARTS = 8  # each is a register of its own
Parts = list[Any]  # the parts of one vector
Equation = Any  # of a jaxpr; JAX says too little of the types of its parts


class Unfit(Exception):
    """A function does not act on each lane by itself; the argument says what it does, after its name."""


def width_of(jaxpr: Any, moving: Sequence[Any]) -> int:
    """The number of lanes into which all that depends on the `moving` variables can be cut."""
    sizes = [size for size in _sizes(jaxpr, set(moving)) if size > 1]
    return math.gcd(*sizes) if sizes else 1


def _sizes(jaxpr: Any, moving: set[Any]) -> Iterator[int]:
    """The sizes of what depends on `moving` variables, which it adds to, and the places where it is cut."""
    yield from (math.prod(var.aval.shape) for var in moving)
    for eqn in jaxpr.eqns:
        is_moving = [not is_literal(var) and var in moving for var in eqn.invars]
        if not any(is_moving):
            continue
        if (called := inner_jaxpr(eqn)) is not None:
            pairs = zip(called.jaxpr.invars, is_moving, strict=True)
            yield from _sizes(called.jaxpr, {var for var, here in pairs if here})
        if eqn.primitive.name == "slice":
            yield from (start * _row(eqn.invars[0].aval.shape) for start in eqn.params["start_indices"][:1])
        moving |= set(eqn.outvars)
        yield from (math.prod(var.aval.shape) for var in eqn.outvars)


def _row(shape: tuple[int, ...]) -> int:
    """How many numbers one entry along the first axis has."""
    return math.prod(shape[1:])


def parts_of(shape: tuple[int, ...], width: int) -> int:
    """How many parts a vector of this shape has; a number has one, the same in all lanes of a sequence."""
    size = math.prod(shape)
    if size % width and size != 1:
        raise Unfit(f"has an array of {shape} beside vectors of {width} entries")
    return max(size // width, 1)


def on_lanes(function: Callable[..., Any], shapes: Sequence[Any], width: int) -> Callable[..., list[Array]]:
    """`function`, which takes vectors of these `shapes` and returns a list of vectors, on the parts of all of them.

    Raises:
        Unfit: it lets units meet.
    """
    closed = jax.make_jaxpr(function)(*shapes)
    counts = [parts_of(a.shape, width) for a in shapes]

    def evaluated(*parts: Array) -> list[Array]:
        like = next(iter(parts))
        given = iter(parts)
        vectors = [[next(given) for _ in range(count)] for count in counts]
        return [part for vector in _evaluate(closed, vectors, width, like) for part in vector]

    return evaluated


def _evaluate(closed: core.ClosedJaxpr, args: list[Parts], width: int, like: Array) -> list[Parts]:
    """What a jaxpr of vectors returns, in parts. `like` has the shape of one part."""
    jaxpr = closed.jaxpr
    known = dict(zip(jaxpr.constvars, [_constant(c, width, like) for c in closed.consts], strict=True))
    known |= dict(zip(jaxpr.invars, args, strict=True))

    def read(atom: Any) -> Parts:
        return [atom.val] if is_literal(atom) else known[atom]

    for eqn in jaxpr.eqns:
        given = [read(atom) for atom in eqn.invars]
        if (called := inner_jaxpr(eqn)) is not None:
            found = _evaluate(called, given, width, like)
        else:
            found = _operation(eqn, given, width, like)
        known |= dict(zip(eqn.outvars, found, strict=True))
    return [_spread(read(atom), 1, like) for atom in jaxpr.outvars]


def _constant(value: Any, width: int, like: Array) -> Parts:
    """A number in all lanes; an array belongs to the parameters, which are arguments."""
    if jnp.size(value) != 1:
        raise Unfit("has an array of constants")
    return [jnp.full_like(like, jnp.reshape(value, ()), dtype=jnp.result_type(value))]


def _spread(parts: Parts, count: int, like: Array) -> Parts:
    """Parts that are arrays of lanes, `count` of them where there was one."""
    wide = [p if jnp.shape(p) else jnp.full_like(like, p, dtype=jnp.result_type(p)) for p in parts]
    return wide * count if len(wide) == 1 else wide


def _operation(eqn: Equation, given: list[Parts], width: int, like: Array) -> list[Parts]:
    name, out = eqn.primitive.name, eqn.outvars[0].aval
    if name in ELEMENTWISE or name in SUBSTITUTES:
        return [_entry_by_entry(eqn, given, like)]
    if name in MOVES:
        found = MOVES[name](eqn, given, width, like)
        if [len(parts) for parts in found] == [parts_of(var.aval.shape, width) for var in eqn.outvars]:
            return found
    raise Unfit(f"lets units meet through {name} to {out.shape}")


def _entry_by_entry(eqn: Equation, given: list[Parts], like: Array) -> Parts:
    act = SUBSTITUTES.get(eqn.primitive.name, eqn.primitive.bind)
    count = max(len(parts) for parts in given)
    if eqn.primitive.name in ("select_n", "clamp"):  # no backend takes a number in place of an array here
        given = [_spread(parts, 1, like) for parts in given]
    each = [parts * count if len(parts) == 1 else parts for parts in given]
    return [act(*(parts[k] for parts in each), **eqn.params) for k in range(count)]


# ---- operations that move whole parts ------------------------------------------------------------------


def _broadcast(eqn: Equation, given: list[Parts], width: int, like: Array) -> list[Parts]:
    out, operand = eqn.outvars[0].aval, eqn.invars[0].aval
    if operand.size == 1:
        return [_spread(given[0], parts_of(out.shape, width), like)]
    return given[:1] if operand.size == out.size else [[]]


def _unchanged(eqn: Equation, given: list[Parts], width: int, like: Array) -> list[Parts]:
    return given[:1]


def _slice(eqn: Equation, given: list[Parts], width: int, like: Array) -> list[Parts]:
    shape, (start, *others) = eqn.invars[0].aval.shape, eqn.params["start_indices"]
    limit, *whole = eqn.params["limit_indices"]
    row, is_strided = _row(shape), any(stride != 1 for stride in eqn.params["strides"] or ())
    if any(others) or tuple(whole) != shape[1:] or is_strided or start * row % width or limit * row % width:
        return [[]]
    return [given[0][start * row // width : limit * row // width]]


def _concatenate(eqn: Equation, given: list[Parts], width: int, like: Array) -> list[Parts]:
    if eqn.params["dimension"] or any(_row(var.aval.shape) * var.aval.shape[0] % width for var in eqn.invars):
        return [[]]
    return [[part for parts in given for part in _spread(parts, 1, like)]]


def _split(eqn: Equation, given: list[Parts], width: int, like: Array) -> list[Parts]:
    sizes = [math.prod(var.aval.shape) for var in eqn.outvars]
    if eqn.params["axis"] or any(size % width for size in sizes):
        return [[]] * len(sizes)
    ends = [sum(sizes[: k + 1]) // width for k in range(len(sizes))]
    return [given[0][end - size // width : end] for size, end in zip(sizes, ends, strict=True)]


def _pad(eqn: Equation, given: list[Parts], width: int, like: Array) -> list[Parts]:
    (low, high, inner), *others = eqn.params["padding_config"]
    row = _row(eqn.invars[0].aval.shape)
    if any(map(any, others)) or inner or low < 0 or high < 0 or low * row % width or high * row % width:
        return [[]]
    (zero,) = _spread(given[1], 1, like)
    return [[zero] * (low * row // width) + given[0] + [zero] * (high * row // width)]


def _tile(eqn: Equation, given: list[Parts], width: int, like: Array) -> list[Parts]:
    first, *others = eqn.params["reps"]
    return [[]] if any(count != 1 for count in others) else [_spread(given[0], 1, like) * first]


def _stack(eqn: Equation, given: list[Parts], width: int, like: Array) -> list[Parts]:
    if eqn.params["axis"]:
        return [[]]
    return [[part for parts in given for part in _spread(parts, 1, like)]]


def _sum(eqn: Equation, given: list[Parts], width: int, like: Array) -> list[Parts]:
    """The transpose of a broadcast. A sum to a number stays one sum per lane: the lanes are added up after the loop."""
    parts, out = _spread(given[0], 1, like), eqn.outvars[0].aval
    if out.size != 1 and tuple(eqn.params["axes"]) != (0,):
        return [[]]
    count = parts_of(out.shape, width)
    return [[functools.reduce(jnp.add, parts[k::count]) for k in range(count)]]


MOVES = {
    "broadcast_in_dim": _broadcast, "concatenate": _concatenate, "pad": _pad, "reduce_sum": _sum,
    "reshape": _unchanged, "slice": _slice, "split": _split, "squeeze": _unchanged,
    "stack": _stack, "tile": _tile,
}  # fmt: skip


__all__ = ["MOST_PARTS", "Unfit", "on_lanes", "parts_of", "width_of"]
