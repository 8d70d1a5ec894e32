"""`lax.scan` over time, with exact derivatives whose expensive part is taken out of the loop."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.base import Cell
from rnnzoo.spec import spec
from rnnzoo.typing import Array, Control, Params, PyTree, State
from rnnzoo.unrolls.base import Unroll, around, widen
from rnnzoo.unrolls.taps import Tap, jointly, matrices, structure_in, tapped, uses


@spec
class Scan(Unroll):
    """The default. Forward and reverse mode, of any order.

    The tangent of the states obeys a linear recurrence of its own. It is written so that its transpose, which
    is the backward pass, carries only the cotangent of the state and emits the cotangents of z_t and of the
    recurrent products; the gradient of every U then is one product over all t, after the loop."""

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        return _states(cell, _one, params, state, zs, controls)[0]

    def apply(self, cell: Cell, params: Params, state: State, xs: Array, controls: Control) -> tuple[Array, State]:
        # The last state by itself: taken out of all of them, it would keep T of every vector that no output needs.
        return around(functools.partial(_states, cell, _lanes, params), cell, params, state, xs, controls)


def _one(function: Callable) -> Callable:
    """`function` of a single sequence: arrays have the axes (T, ...)."""
    return function


# Over steps (B, ...), not around the loop: then what sums over steps and lanes has them as its first two axes, (T, B).
# Under a `vmap` around it, B comes before T, and the gradient of a band takes five times as long.
_lanes = jax.vmap  # of a batch: arrays have the axes (T, B, ...), and the first state is (B, ...)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _states(
    cell: Cell, each: Callable, params: Params, state: State, zs: PyTree, controls: Control
) -> tuple[State, State]:
    """The states after each step, and the last one. `each`, which is `_one` or `_lanes`, maps a step over lanes."""
    taps = _loop_taps(cell, params, lambda: _facts(cell, each, params, state, zs, controls))
    step = each(lambda state_tm1, inputs_t: tapped(cell, params, taps(), state_tm1, *inputs_t))

    def body(state_tm1, inputs_t):
        state_t = step(state_tm1, inputs_t)
        return state_t, state_t

    last, states = lax.scan(body, state, (zs, controls))
    return states, last


@_states.defjvp
def _states_jvp(cell, each, primals, tangents):
    params, state, zs, controls = primals
    dparams, dstate, dzs, _ = tangents
    us, structure = matrices(cell, params), structure_in(cell)
    facts = _facts(cell, each, params, state, zs, controls)
    (states, last), before, values, seen = _record(cell, each, params, state, zs, controls, facts)

    # What a change of U does to its products, at all t at once. Where a product is only ever added to a leaf of
    # z_t, so is its change; else it goes to the product itself.
    changes = {g: _change(structure, each, us[g], dparams["u"][g], seen[g]) for g in us}
    leaves, tree = jax.tree.flatten(zs)
    dleaves = tree.flatten_up_to(dzs)
    sums = {g: k for g, k in facts.sums.items() if g in values}
    for g, k in facts.sums.items():
        leaves[k] = values.pop(g, leaves[k])
        dleaves[k] = (dleaves[k] + changes.pop(g)).astype(leaves[k].dtype)
    rest, drest = ({k: v for k, v in p.items() if k != "u" or not us} for p in (params, dparams))
    others, rest_tree = jax.tree.flatten(drest)
    for g, k in facts.shifts.items():
        changes[g], others[k] = changes[g] + others[k], jnp.zeros_like(others[k])
    drest = rest_tree.unflatten(others)

    def step(rest, state_tm1, leaves, given, control_t):
        given = given | {g: jnp.zeros_like(leaves[k]) for g, k in sums.items()}
        taps = {g: Tap(u, given=given.get(g)) for g, u in us.items()}
        return tapped(cell, {**params, **rest}, taps, state_tm1, tree.unflatten(leaves), control_t)

    def extra(*inputs_t):  # what a change of the other parameters does to a state, for all t at once
        return jax.jvp(lambda rest: step(rest, *inputs_t), (rest,), (drest,))[1]

    extras = jax.vmap(each(extra))(before, leaves, values, controls) if facts.others else None

    def change(dstate_tm1, inputs_t):
        state_tm1, z_t, dz_t, control_t, given, dgiven, extra_t = inputs_t

        def here(state_tm1, z_t, given):
            return step(rest, state_tm1, z_t, given, control_t)

        dstate_t = jax.jvp(here, (state_tm1, z_t, given), (dstate_tm1, dz_t, dgiven))[1]
        return dstate_t if extra_t is None else jax.tree.map(jnp.add, dstate_t, extra_t)

    # Everything but the tangents is known before the loop, and is not worth storing twice.
    @functools.partial(jax.checkpoint, prevent_cse=False)
    def tangent(dstate_tm1, inputs_t):
        dstate_t = each(change)(dstate_tm1, inputs_t)
        return dstate_t, dstate_t

    inputs = (before, leaves, dleaves, controls, values, changes, extras)
    dlast, dstates = lax.scan(tangent, dstate, inputs)
    return (states, last), (dstates, dlast)


def _facts(cell, each, params, state, zs, controls):
    """What one step of one lane does with its recurrent matrices."""
    steps = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), (zs, controls))
    found = []

    def look(state, step):
        found.append(uses(cell, params, state, jax.eval_shape(widen, step[0]), step[1]))

    jax.eval_shape(each(look), state, steps)
    return found[0]


def _loop_taps(cell, params, facts):
    """What makes the taps of each step. Products that cost less than dense ones are faster apart, and need no `facts`,
    which are a function since a step is traced for them."""
    us, structure, size = matrices(cell, params), structure_in(cell), cell.hidden_size
    if structure is not None and structure.flops_per_step(size) >= 2 * size**2:
        return jointly(structure, us, facts())
    return lambda: {g: Tap(u) for g, u in us.items()}


def _record(cell, each, params, state, zs, controls, facts):
    """Run the loop and keep what its tangent needs: all states and the last; the state before each step; the products
    U h that are not worth computing again, as sums with what they are added to where `facts` says so; what U is
    applied to."""
    us = matrices(cell, params)
    stored = us.keys() - facts.sums.keys() if _is_cheap(cell) else us.keys()
    loop_taps = _loop_taps(cell, params, lambda: facts)

    def step(state_tm1, inputs_t):
        taps = loop_taps()
        state_t = tapped(cell, params, taps, state_tm1, *inputs_t)
        leaves = jax.tree.leaves(widen(inputs_t[0]))
        products = {g: taps[g].product for g in stored}
        values = {g: p + leaves[facts.sums[g]] if g in facts.sums else p for g, p in products.items()}
        seen = {g: tap.seen for g, tap in taps.items() if g not in facts.sources}
        return state_t, values, seen

    def body(state_tm1, inputs_t):
        state_t, values, seen = each(step)(state_tm1, inputs_t)
        return state_t, (state_t, state_tm1, values, seen)

    last, (states, before, values, seen) = lax.scan(body, state, (zs, controls))
    seen |= {g: jax.tree.leaves(before)[k] for g, k in facts.sources.items()}
    return (states, last), before, values, seen


def _is_cheap(cell: Cell) -> bool:
    """Whether a product U h costs less than to store it and load it again (benchmarks/cpu.py decides)."""
    structure = structure_in(cell)
    return structure is not None and structure.flops_per_step(cell.hidden_size) <= 16 * cell.hidden_size


def _change(structure, each, u, du, hs):
    """dU h at all t; its transpose is the product over all t that gives the gradient of U."""

    def push(h):
        return jax.jvp(lambda v: structure.matvec(v, h), (u,), (du,))[1]

    return jax.vmap(each(push))(hs)
