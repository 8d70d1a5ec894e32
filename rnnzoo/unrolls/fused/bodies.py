"""One step forward, its tangent and its transpose, each as a `Body`: a function of lanes that a kernel repeats."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.typing import Array
from rnnzoo.unrolls.fused.lanes import on_lanes, parts_of
from rnnzoo.unrolls.fused.program import Program

Mask = Sequence[bool]  # of vectors: which of them there are


@dataclasses.dataclass(frozen=True)
class Body:
    """``carry, outs = function(ones, carry, row, before)`` on lanes, everything in one flat list.

    `ones` are the same at all steps, `row` and `before` are of step t and of step t - 1."""

    function: Callable[..., list[Array]]
    ones: tuple[Any, ...]  # dtypes of lanes
    carry: tuple[Any, ...]
    row: tuple[Any, ...]
    before: tuple[Any, ...]
    outs: tuple[Any, ...]

    @property
    def dtypes(self) -> tuple[Any, ...]:
        """Of all arguments."""
        return (*self.ones, *self.carry, *self.row, *self.before)


def forward(program: Program, wanted: Mask) -> Body:
    """The next state; `wanted` says which vectors of it are kept."""

    def step(ones: list[Array], carry: list[Array], row: list[Array], before: list[Array]) -> tuple[Any, Any]:
        fixed, consts = _cut(ones, len(program.fixed))
        new = program.step(fixed, consts, carry, row)
        return new, chosen(new, wanted)

    ones = (*program.fixed, *program.wide_consts)
    return _body(program, step, ones, program.state, program.row, (), chosen(program.state, wanted))


def tangent(program: Program, given: Mask) -> Body:
    """The tangent of the next state; `given` says which of consts, state and row have one. The state always does."""
    consts, _, row = split_mask(program, given)

    def step(ones: list[Array], carry: list[Array], row_t: list[Array], before: list[Array]) -> tuple[Any, Any]:
        known, dconsts = _cut(ones, len(program.fixed) + len(program.consts))
        fixed, values = _cut(known, len(program.fixed))
        inputs, drow = _cut(row_t, len(program.row))
        here = (chosen(values, consts), before, chosen(inputs, row))
        new = jax.jvp(_of_some(program, fixed, values, inputs, consts, row), here, (dconsts, carry, drow))[1]
        return new, new

    ones = (*program.fixed, *program.wide_consts, *chosen(program.wide_consts, consts))
    rows = (*program.row, *chosen(program.row, row))
    return _body(program, step, ones, program.state, rows, program.state, program.state)


def backward(program: Program, wanted: Mask, given: Mask) -> Body:
    """One step of the transpose: the carry is the cotangent of the state, then sums of those of consts. `wanted` is as
    `given` of `tangent`; `given` says which vectors of the states have a cotangent."""
    consts, _, row = split_mask(program, wanted)

    def step(ones: list[Array], carry: list[Array], row_t: list[Array], before: list[Array]) -> tuple[Any, Any]:
        fixed, values = _cut(ones, len(program.fixed))
        inputs, gnew = _cut(row_t, len(program.row))
        gstate, gconsts = _cut(carry, len(program.state))
        here = (chosen(values, consts), before, chosen(inputs, row))
        pull = jax.vjp(_of_some(program, fixed, values, inputs, consts, row), *here)[1]
        cotangents = iter(gnew)
        more, gstate, grow = pull([g + next(cotangents) if has else g for g, has in zip(gstate, given, strict=True)])
        return [*gstate, *map(jnp.add, gconsts, more)], grow

    wide = program.wide_consts
    carry = (*program.state, *chosen(wide, consts))
    rows = (*program.row, *chosen(program.state, given))
    return _body(program, step, (*program.fixed, *wide), carry, rows, program.state, chosen(program.row, row))


def _of_some(
    program: Program, fixed: list[Array], consts: list[Array], row: list[Array], some_consts: Mask, some_row: Mask
) -> Callable[..., list[Array]]:  # fmt: skip
    """The step as a function of the state and of some consts and entries of a row alone."""

    def step(here: list[Array], state: list[Array], row_here: list[Array]) -> list[Array]:
        return program.step(fixed, merged(consts, here, some_consts), state, merged(row, row_here, some_row))

    return step


def _body(
    program: Program, step: Callable[..., Any], ones: Sequence[Any], carry: Sequence[Any], row: Sequence[Any],
    before: Sequence[Any], outs: Sequence[Any],
) -> Body:  # fmt: skip
    """`step` on vectors of these shapes, on lanes."""
    groups = (ones, carry, row, before)

    def flat(*vectors: Array) -> list[Array]:
        new, out = step(*_cut(list(vectors), *map(len, groups[:-1])))
        return [*new, *out]

    inner = on_lanes(flat, list(itertools.chain(*groups)), program.width)
    types = [_dtypes(program, group) for group in groups]

    def function(*lanes: Array) -> list[Array]:
        given = zip(lanes, itertools.chain(*types), strict=True)
        return inner(*(a.astype(jnp.int32) > 0 if dtype == jnp.bool_ else a for a, dtype in given))

    return Body(function, *(tuple(map(stored, some)) for some in (*types, _dtypes(program, outs))))


def _dtypes(program: Program, vectors: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(a.dtype for a in vectors for _ in range(parts_of(a.shape, program.width)))


def stored(dtype: Any) -> Any:
    """How lanes of this dtype lie in memory: kernels have no arrays of booleans."""
    return jnp.dtype(jnp.int8) if dtype == jnp.bool_ else jnp.dtype(dtype)


# ---- masks ---------------------------------------------------------------------------------------------


def split_mask(program: Program, mask: Mask) -> tuple[Mask, Mask, Mask]:
    """A mask of consts, state and row, by itself for each."""
    consts, state, row = _cut(mask, len(program.consts), len(program.state))
    return consts, state, row


def chosen(items: Sequence[Any], mask: Mask) -> list[Any]:
    """Those that the mask says are there."""
    return list(itertools.compress(items, mask))


def merged(items: Sequence[Any], others: Sequence[Any], mask: Mask) -> list[Any]:
    """The items, with `others` in place of those of the mask."""
    new = iter(others)
    return [next(new) if has else item for item, has in zip(items, mask, strict=True)]


def _cut(items: Any, *counts: int) -> Any:
    """The first so many, the next so many, and the rest."""
    ends = [0, *itertools.accumulate(counts), len(items)]
    return [items[a:b] for a, b in itertools.pairwise(ends)]


__all__ = ["Body", "Mask", "backward", "chosen", "forward", "merged", "split_mask", "stored", "tangent"]
