"""The states of a recurrence by `lax.scan`, with exact derivatives whose expensive part is taken out of the loop.

The tangent of the states obeys a linear recurrence. It is written so that its transpose, which is the
backward pass, carries only the cotangent of the state and emits the cotangents of z_t + U v; the gradient of every U
then is one product over all t, after the loop. What it needs to know of a step, `recur` tells it (`Uses`)."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.base import Cell
from rnnzoo.cells.recur import Site, Sums, leaf, matrices
from rnnzoo.typing import Array, Control, Params, PyTree, State, widen
from rnnzoo.unrolls.base import add, advance, plain_sums, product
from rnnzoo.unrolls.uses import Each, Uses, by_vector, uses_of


def one(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of a single sequence: arrays have the axes (T, ...)."""
    return function


# Over steps (B, ...), not around the loop: then what sums over steps and lanes has them as its first two axes, (T, B).
# Under a `vmap` around it, B comes before T, and the gradient of a band takes five times as long.
lanes = jax.vmap  # of a batch: arrays have the axes (T, B, ...), and the first state is (B, ...)


def recurrence(
    cell: Cell, each: Each, params: Params, state: State, zs: PyTree, controls: Control
) -> tuple[State, State]:
    """The states after each step, and the last one. `each`, which is `one` or `lanes`, maps a step over lanes."""
    # Here, and not in the rule below: what an initial state reads of the parameters has a derivative, too.
    initial = cell.initial_state(params) if controls.reset is not None else None
    us, rest = matrices(params, tuple(cell.structures))
    return _states(cell, each, us, rest, initial, state, zs, controls)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _states(
    cell: Cell, each: Each, us: dict[str, PyTree], rest: Params, initial: State | None, state: State, zs: PyTree,
    controls: Control,
) -> tuple[State, State]:  # fmt: skip
    return _plain(cell, each, us, rest, initial, state, zs, controls)


def _plain(cell, each, us, rest, initial, state, zs, controls) -> tuple[State, State]:
    """The loop itself."""
    sums_of = _loop_sums(cell, us, lambda: uses_of(cell, each, us, rest, initial, state, zs, controls))

    def step(state_tm1: State, z_t: PyTree, control_t: Control) -> State:
        return advance(cell, rest, state_tm1, z_t, control_t, initial, sums_of(widen(z_t)))

    def body(state_tm1: State, inputs_t: Any) -> tuple[State, State]:
        state_t = each(step)(state_tm1, *inputs_t)
        return state_t, state_t

    last, states = lax.scan(body, state, (zs, controls))
    return states, last


@_states.defjvp
def _states_jvp(cell: Cell, each: Each, primals: Any, tangents: Any) -> Any:
    us, rest, initial, state, zs, controls = primals
    dus, drest, dinitial, dstate, dzs, _ = tangents
    if not all(jnp.issubdtype(a.dtype, jnp.floating) for a in jax.tree.leaves((state, zs))):
        # Integers and complex numbers have derivatives of another type, which the rewriting below does not carry.
        return jax.jvp(lambda *args: _plain(cell, each, *args, controls), primals[:-1], tangents[:-1])  # pyright: ignore
    uses = uses_of(cell, each, *primals)
    (states, last), before, sums, heard = _record(cell, each, uses, *primals)
    known = {site: sums[site] if site in sums else leaf(zs, site[0]) for site in heard}
    dknown = {site: _change(cell, each, us, dus, dzs, site, vector, known[site]) for site, vector in heard.items()}
    others, dothers = (_without_summands(tree, uses.summands) for tree in (zs, dzs))

    def step(rest, initial, state_tm1, z_t, known_t, control_t):
        recalled = functools.partial(_recalled, cell, us, known_t, frozenset(sums))
        return advance(cell, rest, state_tm1, z_t, control_t, initial, recalled)

    def all_steps(read, initial):  # at all t at once, from the states before them
        here = each(lambda *args: step({**rest, **read}, initial, *args))
        return jax.vmap(here)(before, others, known, controls)

    read, dread = ({name: tree[name] for name in uses.read} for tree in (rest, drest))
    extras = jax.jvp(all_steps, (read, initial), (dread, dinitial))[1] if uses.read or initial is not None else None

    def change(dstate_tm1, inputs_t):
        state_tm1, z_t, dz_t, known_t, dknown_t, control_t, extra_t = inputs_t

        def here(*args):
            return each(lambda *args: step(rest, initial, *args))(*args, control_t)

        dstate_t = jax.jvp(here, (state_tm1, z_t, known_t), (dstate_tm1, dz_t, dknown_t))[1]
        return dstate_t if extra_t is None else jax.tree.map(jnp.add, dstate_t, extra_t)

    # Everything but the tangents is known before the loop, and costs less to compute again than to store twice.
    @functools.partial(jax.checkpoint, prevent_cse=False)
    def tangent(dstate_tm1, inputs_t):
        dstate_t = change(dstate_tm1, inputs_t)
        return dstate_t, dstate_t

    inputs = (before, others, dothers, known, dknown, controls, extras)
    dlast, dstates = lax.scan(tangent, dstate, inputs)
    return (states, last), (dstates, dlast)


# ---- sums z_t + U v --------------------------------------------------------------------------------------


def _loop_sums(cell: Cell, us: dict[str, PyTree], uses: Callable[[], Uses]) -> Callable[[PyTree], Sums]:
    """From z_t to `Sums`, for a loop of many steps: gates whose matrices are applied to the same vector take it in one
    product with all of them. On CPUs it takes half the time: U and h are packed once instead of for each. Products
    that cost less than dense ones are faster apart, and need no `uses`, for which a step is traced."""
    size = cell.hidden_size
    if not any(structure.flops_per_step(size) >= 2 * size**2 for structure in cell.structures.values()):
        return lambda z_t: plain_sums(cell, us, z_t)
    stacked = {}
    for gates in uses().together:
        structures = {cell.structures[gate] for gate in gates}
        if len(gates) > 1 and len(structures) == 1 and structures.pop().flops_per_step(size) >= 2 * size**2:
            stacked[gates] = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(us[gate] for gate in gates))

    def sums_of(z_t: PyTree) -> Sums:
        def sums(heard: dict[Site, Array]) -> dict[Site, Array]:
            found = {}
            for sites in by_vector(heard):
                gates, vector = tuple(site[0] for site in sites), heard[sites[0]]
                if (u := stacked.get(gates)) is None:
                    products = [product(cell, us, gate, vector) for gate in gates]
                else:
                    products = jax.vmap(lambda u, g=gates[0], v=vector: product(cell, {g: u}, g, v))(u)
                found |= {site: add(z_t, site[0], products[k]) for k, site in enumerate(sites)}
            return found

        return sums

    return sums_of


def _record(cell, each, uses: Uses, us, rest, initial, state, zs, controls) -> Any:
    """Run the loop and keep what its tangent needs: all states and the last; the state before each step; the sums that
    cost more to compute again than to store; what U is applied to."""
    sums_of = _loop_sums(cell, us, lambda: uses)

    def step(state_tm1: State, z_t: PyTree, control_t: Control) -> Any:
        z_t, kept, heard_by = widen(z_t), {}, {}
        sums = sums_of(z_t)

        def recorded(heard: dict[Site, Array]) -> dict[Site, Array]:
            heard_by.update({site: v for site, v in heard.items() if site not in uses.sources})
            found = sums(heard)
            kept.update({site: a for site, a in found.items() if not _is_computed_again(cell, uses, site[0])})
            return found

        return advance(cell, rest, state_tm1, z_t, control_t, initial, recorded), kept, heard_by

    def body(state_tm1: State, inputs_t: Any) -> Any:
        state_t, kept, heard = each(step)(state_tm1, *inputs_t)
        return state_t, (state_t, state_tm1, kept, heard)

    last, (states, before, kept, heard) = lax.scan(body, state, (zs, controls))
    heard |= {site: jax.tree.leaves(before)[k] for site, k in uses.sources.items()}
    return (states, last), before, kept, heard


def _is_computed_again(cell: Cell, uses: Uses, gate: str) -> bool:
    """Whether a sum z_t + U v costs less than to store it and load it again (benchmarks/cpu.py decides)."""
    return gate in uses.summands and cell.structures[gate].flops_per_step(cell.hidden_size) <= 16 * cell.hidden_size


def _change(cell, each, us, dus, dzs, site: Site, heard: Array, like: Any) -> Array:
    """What changes of U and z_t do to a sum, at all t; its transpose is the product over all t that gives dU."""
    gate = site[0]

    def push(vector: Array) -> Array:
        return jax.jvp(lambda u: product(cell, {gate: u}, gate, vector), (us[gate],), (dus[gate],))[1]

    return add(dzs, gate, jax.vmap(each(push))(heard)).astype(like.dtype)


def _recalled(cell, us, known_t: dict[Site, Array], stored: frozenset[Site], heard: dict[Site, Array]) -> dict:
    """The sums of a step once more: those that were stored, by their value; the others from z_t."""
    found = {}
    for site, vector in heard.items():
        times = functools.partial(product, cell, us, site[0])
        value = known_t[site]
        found[site] = _with_tangent(times, vector, value) if site in stored else widen(value) + times(vector)
    return found


def _with_tangent(times: Callable[[Array], Array], vector: Array, value: Array) -> Array:
    """z + U v, whose value is known: a change of v acts through U, a change of `value` is added."""

    @jax.custom_jvp
    def known(vector: Array, value: Array) -> Array:
        return value

    known.defjvp(lambda primals, tangents: (primals[1], times(tangents[0]) + tangents[1]))
    return known(vector, value)


def _without_summands(zs: PyTree, gates: tuple[str, ...]) -> PyTree:
    """z_t without the leaves that are known as parts of sums."""
    if not isinstance(zs, dict):
        return zs
    rest = {name: value for name, value in zs.items() if name not in gates}
    for scope in {gate.partition(".")[0] for gate in gates if "." in gate} & rest.keys():
        inner = tuple(gate.partition(".")[2] for gate in gates if gate.startswith(scope + "."))
        rest[scope] = _without_summands(rest[scope], inner)
    return rest


__all__ = ["lanes", "one", "recurrence"]
