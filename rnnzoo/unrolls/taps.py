"""What a step does with its recurrent matrices, found by tracing it: the means of `Scan`'s derivatives.

Cells know nothing of this. A step is traced with the parameters of every recurrent matrix replaced by a `Tap`,
which notes the vector that U is applied to and may stand in for the product.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell, Recurrent
from rnnzoo.spec import UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.typing import Array, Control, Params, PyTree, State
from rnnzoo.unrolls.base import advance
from rnnzoo.wrappers.base import Wrapper


@dataclasses.dataclass
class Tap:
    """Stands in for the parameters u of one gate's recurrent matrix during one trace of one step."""

    u: PyTree = None  # None: the product is `given` and depends on nothing
    apply: Callable[[Array], Array] | None = None  # h -> U h, in place of the structure's `matvec`
    given: Array | None = None  # the value of U h, where it is known
    seen: Array | None = None  # h, once the step has been traced
    product: Array | None = None  # U h, once the step has been traced

    def __call__(self, structure: Structure, h: Array) -> Array:
        if self.seen is not None:
            raise UsageError("a step applies one recurrent matrix twice; accepted: a gate of its own for each use")
        self.seen = h
        if self.given is None:
            self.product = structure.matvec(self.u, h) if self.apply is None else self.apply(h)
        else:
            self.product = self.given if self.u is None else _recall(structure, self.u, h, self.given)
        return self.product

    def __mul__(self, other: Any) -> Any:
        raise UsageError("a step computes with params['u'] itself; accepted: self.recur(params['u'], h), or Loop()")

    __rmul__ = __matmul__ = __rmatmul__ = __add__ = __radd__ = __mul__


@spec
class _Tapped(Structure):
    """A structure whose parameters are `Tap`s."""

    inner: Structure

    @property
    def connectivity(self):
        return self.inner.connectivity

    @property
    def closure(self):
        return self.inner.closure

    def init(self, key, size):
        return self.inner.init(key, size)

    def matvec(self, u: Any, h: Array) -> Array:
        return u(self.inner, h)


def _recall(structure: Structure, u: PyTree, h: Array, given: Array) -> Array:
    """U h, whose value is `given`: a change of h acts through U, a change of `given` is added."""

    @jax.custom_jvp
    def product(h, given):
        return given

    product.defjvp(lambda primals, tangents: (primals[1], structure.matvec(u, tangents[0]) + tangents[1]))
    return product(h, given)


def structure_in(cell: Cell) -> Structure | None:
    """The structure of the recurrent matrices that a step can be tapped for, through wrappers that allow it."""
    while isinstance(cell, Wrapper) and cell.steps_once:
        cell = cell.cell
    return cell.structure if isinstance(cell, Recurrent) else None


def matrices(cell: Cell, params: Params) -> dict[str, PyTree]:
    """Gate -> parameters of its recurrent matrix; empty for a cell without any that can be tapped."""
    return {} if structure_in(cell) is None else params["u"]


def jointly(structure: Structure, us: dict[str, PyTree], facts: "Uses") -> Callable[[], dict[str, Tap]]:
    """What makes the taps of a step, for a loop of many: gates whose matrices are applied to the same vector take it
    in one product with all of them. On CPUs it takes half the time: U and h are packed once instead of for each."""
    together = [gates for gates in facts.together if len(gates) > 1]
    stacked = [jax.tree.map(lambda *leaves: jnp.stack(leaves), *(us[g] for g in gates)) for gates in together]

    def taps() -> dict[str, Tap]:
        found = {g: Tap(u) for g, u in us.items()}
        for gates, u in zip(together, stacked, strict=True):
            products = _Products(structure, u)
            for k, g in enumerate(gates):
                found[g].apply = functools.partial(products, k)
        return found

    return taps


class _Products:
    """U h of several gates, computed when the first of them asks."""

    def __init__(self, structure: Structure, u: PyTree):
        self.structure, self.u, self.found = structure, u, None

    def __call__(self, gate: int, h: Array) -> Array:
        if self.found is None:
            self.found = jax.vmap(self.structure.matvec, (0, None))(self.u, h)
        return self.found[gate]


def tapped(cell: Cell, params: Params, taps: dict[str, Tap], state: State, z_t: PyTree, control_t: Control) -> State:
    """`advance` with the recurrent matrices replaced by `taps`."""
    if not taps:
        return advance(cell, params, state, z_t, control_t)
    inner = cell.with_structure(lambda structure: _Tapped(inner=structure))
    return advance(inner, {**params, "u": taps}, state, z_t, control_t, cell.initial_state(params))


@dataclasses.dataclass(frozen=True)
class Trace:
    """One step as a jaxpr, a function of the recurrent products, z_t, the state and the other parameters. It returns
    the new state and what each U is applied to. Variables, by what they stand for:"""

    jaxpr: Any
    products: dict[str, Any]  # gate -> U h
    inputs: list[Any]  # the leaves of z_t
    states: list[Any]  # the leaves of the state before the step
    others: list[Any]  # the parameters besides the recurrent matrices
    seen: dict[str, Any]  # gate -> h


def trace(cell: Cell, params: Params, state: State, z_t: PyTree, control_t: Control) -> Trace:
    """The `Trace` of one step of `cell`. Arguments give shapes only."""
    us = matrices(cell, params)
    rest = {name: value for name, value in params.items() if name != "u" or not us}
    leaves, tree = jax.tree.flatten(z_t)

    def products(state, z_t, control_t):
        taps = {g: Tap(u) for g, u in us.items()}
        tapped(cell, params, taps, state, z_t, control_t)
        return {g: tap.product for g, tap in taps.items()}

    def step(products, leaves, state, rest, control_t):
        taps = {g: Tap(given=product) for g, product in products.items()}
        new = tapped(cell, {**params, **rest}, taps, state, tree.unflatten(leaves), control_t)
        return new, {g: tap.seen for g, tap in taps.items()}

    shapes = jax.eval_shape(products, state, z_t, control_t)
    jaxpr = jax.make_jaxpr(step)(shapes, leaves, state, rest, control_t).jaxpr
    invars = iter(jaxpr.invars)
    product_vars = {g: next(invars) for g in sorted(shapes)}
    inputs = [next(invars) for _ in leaves]
    states = [next(invars) for _ in jax.tree.leaves(state)]
    others = [next(invars) for _ in jax.tree.leaves(rest)]
    seen = dict(zip(sorted(shapes), jaxpr.outvars[len(states) :], strict=True))
    return Trace(jaxpr, product_vars, inputs, states, others, seen)


@dataclasses.dataclass(frozen=True)
class Uses:
    """Facts about a step, read off its trace."""

    sums: dict[str, int]  # gate -> leaf of z_t that U h is added to at once, neither having another use
    sources: dict[str, int]  # gate -> leaf of the state that U is applied to, where it is one
    shifts: dict[str, int]  # gate -> leaf of the other parameters that U h is added to, neither having another use
    others: set[int]  # leaves of the other parameters that the step uses otherwise
    together: list[list[str]]  # the gates, by the vector that their U is applied to


def uses(cell: Cell, params: Params, state: State, z_t: PyTree, control_t: Control) -> Uses:
    """The `Uses` of one step of `cell`. Arguments give shapes only."""
    step = trace(cell, params, state, z_t, control_t)
    used = {}  # variable -> the equations that use it; None stands for the outputs
    for eqn in [*step.jaxpr.eqns, None]:
        for var in step.jaxpr.outvars if eqn is None else eqn.invars:
            if not hasattr(var, "val"):  # a variable, not a literal
                used.setdefault(var, []).append(eqn)
    together = {}
    for gate, var in step.seen.items():
        together.setdefault(var, []).append(gate)
    shifts = _sums(used, step.products, step.others)
    return Uses(
        sums=_sums(used, step.products, step.inputs),
        sources={g: step.states.index(var) for g, var in step.seen.items() if var in step.states},
        shifts=shifts,
        others={k for k, var in enumerate(step.others) if var in used} - set(shifts.values()),
        together=list(together.values()),
    )


def _sums(used: dict, product_vars: dict[str, Any], leaf_vars: list) -> dict[str, int]:
    found = {}
    for gate, product in product_vars.items():
        for k, leaf in enumerate(leaf_vars):
            users = used.get(leaf, [])
            if users and users == used.get(product) and len(users) == 1 and users[0] is not None:
                if users[0].primitive.name in ("add", "add_any") and leaf.aval == product.aval:
                    found[gate] = k
    return found
