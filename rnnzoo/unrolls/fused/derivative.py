"""A recurrence on lanes, and its derivatives, as three primitives of JAX.

`states` runs the loop. `tangent` is linear in the changes of consts, start and rows; `backward` is its transpose,
linear in the cotangents of the states. Each is one kernel. With primitives of their own rather than `jax.custom_vjp`,
forward mode, reverse mode, `jax.checkpoint` and `jax.vmap` work in any order; second derivatives go through
`lax.scan`."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend import core
from jax.interpreters import ad, batching, mlir

from rnnzoo.typing import Array
from rnnzoo.unrolls.fused import bodies
from rnnzoo.unrolls.fused.bodies import Mask, chosen
from rnnzoo.unrolls.fused.kernel import Lanes, Route, Streams, cut, lane_scan
from rnnzoo.unrolls.fused.program import Program


def run_lanes(
    program: Program, route: Route, steps: int, wanted: Mask, fixed: Lanes, consts: Lanes, start: Lanes, rows: Lanes
) -> tuple[Lanes, Lanes]:  # fmt: skip
    """The states (T, L) after all steps, of the vectors that are `wanted`, and the last state (L,).

    Arguments are the parts of what `program.step` takes: (L,), and rows of (T, L)."""
    found = states_p.bind(*fixed, *consts, *start, *rows, program=program, route=route, steps=steps, wanted=wanted)
    count = len(found) - len(start)
    return list(found[:count]), list(found[count:])


class _Known:
    """What all three primitives are given first: the parts of fixed, consts, start, rows and, but for `states`, of all
    states."""

    def __init__(self, program: Program, arrays: Any, has_states: bool = True):
        vectors = (program.fixed, program.consts, program.state, program.row, *[program.state] * has_states)
        counts = [program.parts(*some) for some in vectors]
        self.fixed, self.consts, self.start, self.rows, *states, self.others = cut(arrays, *counts)
        self.states: Lanes = states[0] if states else []
        self.arrays = list(arrays[: sum(counts)])


def _of_parts(program: Program, vectors: Any, mask: Mask) -> Mask:
    """A mask of vectors as one of their parts."""
    return tuple(has for a, has in zip(vectors, mask, strict=True) for _ in range(program.parts(a)))


def _linear(program: Program) -> tuple[Any, ...]:
    """The vectors that `tangent` is linear in."""
    return (*program.consts, *program.state, *program.row)


# ---- the three loops -----------------------------------------------------------------------------------


def _states(*arrays: Array, program: Program, route: Route | None, steps: int, wanted: Mask) -> Lanes:
    known = _Known(program, arrays, has_states=False)
    streams = Streams([*known.fixed, *known.consts], known.start, known.rows, [], [])
    last, states = lane_scan(route, bodies.forward(program, wanted), streams, steps)
    return [*states, *last]


def _tangent(*arrays: Array, program: Program, route: Route | None, steps: int, given: Mask) -> Lanes:
    known = _Known(program, arrays)
    consts, state, _ = bodies.split_mask(program, given)
    counts = program.parts(*chosen(program.consts, consts)), program.parts(*chosen(program.state, state))
    dconsts, dsome, drows = cut(known.others, *counts)
    dstart = bodies.merged([jnp.zeros_like(a) for a in known.start], dsome, _of_parts(program, program.state, state))
    ones = [*known.fixed, *known.consts, *dconsts]
    streams = Streams(ones, dstart, [*known.rows, *drows], known.states, known.start)
    dlast, dstates = lane_scan(route, bodies.tangent(program, given), streams, steps)
    return [*dstates, *dlast]


def _backward(*arrays: Array, program: Program, route: Route | None, steps: int, wanted: Mask, given: Mask) -> Lanes:
    known = _Known(program, arrays)
    consts, state, _ = bodies.split_mask(program, wanted)
    of_states, of_last = given[: len(program.state)], given[len(program.state) :]
    gstates, gsome = cut(known.others, program.parts(*chosen(program.state, of_states)))
    glast = bodies.merged([jnp.zeros_like(a) for a in known.start], gsome, _of_parts(program, program.state, of_last))
    sums = [jnp.zeros_like(a) for a in chosen(known.consts, _of_parts(program, program.consts, consts))]
    ones, rows = [*known.fixed, *known.consts], [*known.rows, *gstates]
    streams = Streams(ones, [*glast, *sums], rows, known.states, known.start)
    carry, grows = lane_scan(route, bodies.backward(program, wanted, of_states), streams, steps, is_reversed=True)
    gstart, gconsts = cut(carry, len(known.start))
    return [*gconsts, *chosen(gstart, _of_parts(program, program.state, state)), *grows]


# ---- the primitives ------------------------------------------------------------------------------------


def _primitive(name: str, loop: Callable[..., Lanes]) -> core.Primitive:
    """A primitive that runs `loop`. A batch of it is more lanes."""
    primitive = core.Primitive(f"rnnzoo_{name}")
    primitive.multiple_results = True

    def batch(arrays: Any, axes: Any, **params: Any) -> tuple[Lanes, list[int]]:
        size = next(a.shape[axis] for a, axis in zip(arrays, axes, strict=True) if axis is not None)
        found = primitive.bind(*(_with_batch(a, axis, size) for a, axis in zip(arrays, axes, strict=True)), **params)
        return [a.reshape(*a.shape[:-1], size, -1) for a in found], [a.ndim - 1 for a in found]

    def shapes(*arrays: Any, **params: Any) -> list[Any]:
        without = functools.partial(loop, **{**params, "route": None})
        found = jax.eval_shape(without, *(jax.ShapeDtypeStruct(a.shape, a.dtype) for a in arrays))
        return [ShapedArray(a.shape, a.dtype) for a in found]

    primitive.def_impl(lambda *arrays, **params: jax.jit(functools.partial(loop, **params))(*arrays))
    primitive.def_abstract_eval(shapes)
    mlir.register_lowering(primitive, mlir.lower_fun(loop, multiple_results=True))
    batching.primitive_batchers[primitive] = batch
    return primitive


def _with_batch(a: Array, axis: int | None, size: int) -> Array:
    """An array (..., L) with a batch among its lanes: (..., size * L)."""
    if axis is None:
        wide = jnp.broadcast_to(a[..., None, :], (*a.shape[:-1], size, a.shape[-1]))
    else:
        wide = jnp.moveaxis(a, axis, -2)
    return wide.reshape(*wide.shape[:-2], -1)


states_p = _primitive("states", _states)
tangent_p = _primitive("tangent", _tangent)
backward_p = _primitive("backward", _backward)


def _states_jvp(arrays: Any, changes: Any, *, program: Program, route: Route, steps: int, wanted: Mask) -> Any:
    params = {"program": program, "route": route, "steps": steps}
    found = states_p.bind(*arrays, wanted=(True,) * len(wanted), **params)
    count = program.parts(*program.state)
    known = _Known(program, [*arrays, *found[:count]])
    kept = [*_of_parts(program, program.state, wanted), *[True] * count]
    dlinear = changes[len(known.fixed) :]
    given = _any_given(program, dlinear)
    parts = _of_parts(program, _linear(program), given)
    dgiven = [ad.instantiate_zeros(d) for d in chosen(dlinear, parts)]
    dfound = tangent_p.bind(*known.arrays, *dgiven, given=given, **params)
    return chosen(found, kept), chosen(dfound, kept)


def _any_given(program: Program, changes: Any) -> Mask:
    """Of which vectors any part has a change that is not known to be zero. Integers and booleans never have one."""
    left, given = list(changes), []
    for a in _linear(program):
        count = program.parts(a)
        given.append(jnp.issubdtype(a.dtype, jnp.floating) and any(type(d) is not ad.Zero for d in left[:count]))
        left = left[count:]
    return tuple(given)


def _tangent_transpose(cotangents: Any, *arrays: Any, program: Program, given: Mask, **params: Any) -> list[Any]:
    known = _Known(program, arrays)
    each = [*program.state, *program.state]
    left, of_vectors = list(cotangents), []
    for a in each:
        count = program.parts(a)
        of_vectors.append(any(type(c) is not ad.Zero for c in left[:count]))
        left = left[count:]
    has = _of_parts(program, each, tuple(of_vectors))
    some = [ad.instantiate_zeros(c) for c in chosen(cotangents, has)]
    found = backward_p.bind(*known.arrays, *some, program=program, wanted=given, given=tuple(of_vectors), **params)
    return [None] * len(known.arrays) + list(found)


def _backward_transpose(
    cotangents: Any, *arrays: Any, program: Program, wanted: Mask, given: Mask, **params: Any
) -> list[Any]:
    known = _Known(program, arrays)
    changes = [ad.instantiate_zeros(c) for c in cotangents]
    found = tangent_p.bind(*known.arrays, *changes, program=program, given=wanted, **params)
    kept = _of_parts(program, [*program.state, *program.state], given)
    return [None] * len(known.arrays) + chosen(found, kept)


def _second_order(primitive: core.Primitive, loop: Callable[..., Lanes]) -> Callable[..., Any]:
    def jvp(arrays: Any, changes: Any, **params: Any) -> tuple[Lanes, Lanes]:
        plain = functools.partial(loop, **{**params, "route": None})
        is_real = [jnp.issubdtype(a.dtype, jnp.floating) for a in arrays]

        def of_real(*real: Array) -> Lanes:
            return plain(*bodies.merged(arrays, real, tuple(is_real)))

        real = chosen(arrays, is_real), [ad.instantiate_zeros(d) for d in chosen(changes, is_real)]
        return primitive.bind(*arrays, **params), jax.jvp(of_real, *real)[1]

    return jvp


ad.primitive_jvps[states_p] = _states_jvp
ad.primitive_jvps[tangent_p] = _second_order(tangent_p, _tangent)
ad.primitive_jvps[backward_p] = _second_order(backward_p, _backward)
ad.primitive_transposes[tangent_p] = _tangent_transpose
ad.primitive_transposes[backward_p] = _backward_transpose

__all__ = ["run_lanes"]
