"""The step of a cell, traced, as a program for lanes: what depends on parameters alone is computed before the loop."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend import core

from rnnzoo.cells.base import Cell
from rnnzoo.jaxprs import inner_jaxpr, is_literal
from rnnzoo.typing import Array, Control, Params, PyTree, State, widen
from rnnzoo.unrolls.base import advance
from rnnzoo.unrolls.fused.lanes import MOST_PARTS, Unfit, parts_of, width_of

Lanes = list[Array]


@dataclasses.dataclass(frozen=True, eq=False)  # compared by identity: one is made for each trace
class Program:
    """`state_t = step(fixed, consts, state_tm1, row_t)`, on lists of vectors of one sequence.

    The step reads `fixed` and `consts`, which do not change over time; the latter have derivatives. A row has what
    there is at one step: entries of z_t, controls, noise."""

    jaxpr: core.ClosedJaxpr
    width: int
    fixed: tuple[Any, ...]  # shapes and dtypes of vectors
    consts: tuple[Any, ...]
    state: tuple[Any, ...]
    row: tuple[Any, ...]

    def step(self, fixed: Lanes, consts: Lanes, state: Lanes, row: Lanes) -> Lanes:
        """On vectors. `consts` are given in float32 or wider, in which their gradients are summed over time."""
        exact = [value.astype(a.dtype) for value, a in zip(consts, self.consts, strict=True)]
        return list(core.jaxpr_as_fun(self.jaxpr)(*fixed, *exact, *state, *row))

    def parts(self, *vectors: Any) -> int:
        """How many parts these vectors have together."""
        return sum(parts_of(a.shape, self.width) for a in vectors)

    @property
    def wide_consts(self) -> tuple[Any, ...]:
        """The shapes and dtypes of `consts` as `step` takes them."""
        return tuple(jax.eval_shape(lambda: widen([jnp.zeros(a.shape, a.dtype) for a in self.consts])))


def traced(cell: Cell, params: Params, state: State, z_t: PyTree, control_t: Control) -> tuple["Program", Any, Any]:
    """The `Program` of a cell; a function from parameters to `fixed` and `consts`; and which leaves of the flattened
    ``(z_t, control_t)`` make a row. Arguments give shapes only: those of one step of one sequence.

    Raises:
        Unfit: the step cannot run on lanes, for the reason given.
    """

    def step(params: Params, state: State, inputs_t: Any) -> State:
        initial = cell.initial_state(params) if control_t.reset is not None else None
        z_t, control = inputs_t
        return advance(cell, params, state, z_t, control, initial)

    given = (params, state, (z_t, control_t))
    closed = jax.make_jaxpr(step)(*given)
    counts = [len(jax.tree.leaves(tree)) for tree in given]
    of_params, of_state, of_row = _cut(closed.jaxpr.invars, counts)
    split = _Split(closed, of_state + of_row)
    read = [var in split.read for var in of_row]
    row = [var for var, is_read in zip(of_row, read, strict=True) if is_read]
    fixed = [var for var in split.known if not split.has_derivative(var)]
    consts = [var for var in split.known if split.has_derivative(var)]
    moving = _jaxpr(closed, [*fixed, *consts, *of_state, *row], closed.jaxpr.outvars, split.moving)
    before = _jaxpr(closed, of_params, [*fixed, *consts], split.still)
    width = width_of(moving.jaxpr, [*of_state, *row])
    shapes: Any = [tuple(var.aval for var in some) for some in (fixed, consts, of_state, row)]
    program = Program(moving, width, *shapes)
    _check(program)

    def known(params: Params) -> tuple[list[Array], list[Array]]:
        found = core.jaxpr_as_fun(before)(*jax.tree.leaves(params))
        return list(found[: len(fixed)]), list(found[len(fixed) :])

    return program, known, read


class _Split:
    """The equations of a step: those that depend on parameters alone (`still`), and those that do not (`moving`)."""

    def __init__(self, closed: core.ClosedJaxpr, changing: Sequence[Any]):
        jaxpr, changed = closed.jaxpr, set(changing)
        self.still, self.moving = [], []
        self.of_params: set[Any] = set(jaxpr.invars) - changed
        for eqn in jaxpr.eqns:
            atoms = [atom for atom in eqn.invars if not is_literal(atom)]
            is_moving = any(atom in changed for atom in atoms)
            # Numbers that are no parameters are cheaper to write down in the kernel than to load.
            is_number = not atoms and eqn.primitive.name == "broadcast_in_dim"
            (self.moving if is_moving or is_number else self.still).append(eqn)
            if is_moving or is_number:
                changed |= set(eqn.outvars)
            elif any(atom in self.of_params for atom in atoms):
                self.of_params |= set(eqn.outvars)
        self.moving = _live(self.moving, jaxpr.outvars)
        self.read = {a for eqn in self.moving for a in eqn.invars if not is_literal(a)}
        self.read |= {a for a in jaxpr.outvars if not is_literal(a)}
        self.known = [var for var in dict.fromkeys(_vars(self.moving, jaxpr)) if var not in changed]

    def has_derivative(self, var: Any) -> bool:
        return var in self.of_params and jnp.issubdtype(var.aval.dtype, jnp.floating)


def _vars(eqns: list[Any], jaxpr: core.Jaxpr) -> list[Any]:
    """All that these equations and the results read."""
    return [a for a in [*(a for eqn in eqns for a in eqn.invars), *jaxpr.outvars] if not is_literal(a)]


def _live(eqns: list[Any], outvars: Sequence[Any]) -> list[Any]:
    """The equations that the results need."""
    needed, kept = {a for a in outvars if not is_literal(a)}, []
    for eqn in reversed(eqns):
        if eqn.effects or any(var in needed for var in eqn.outvars):
            kept.append(eqn)
            needed |= {a for a in eqn.invars if not is_literal(a)}
    return kept[::-1]


def _jaxpr(closed: core.ClosedJaxpr, invars: list[Any], outvars: Sequence[Any], eqns: list[Any]) -> core.ClosedJaxpr:
    """Some of the equations, as a jaxpr of its own."""
    names = closed.jaxpr.debug_info.with_unknown_names()
    jaxpr = closed.jaxpr.replace(invars=invars, outvars=list(outvars), eqns=_live(eqns, outvars), debug_info=names)
    return core.ClosedJaxpr(jaxpr, closed.consts)


def _cut(items: Sequence[Any], counts: Sequence[int]) -> list[list[Any]]:
    """Items in groups of so many."""
    ends = [sum(counts[: k + 1]) for k in range(len(counts))]
    return [list(items[end - count : end]) for count, end in zip(counts, ends, strict=True)]


def _check(program: Program) -> None:
    """Raise `Unfit` if units meet in a step. What its derivatives do is seen when they are traced."""
    if any(len(a.shape) > 1 for a in program.state):
        raise Unfit(f"has a state of {max((a.shape for a in program.state), key=len)}, not of vectors")
    if not all(a.dtype == jnp.float32 for a in program.state):
        raise Unfit(f"carries {', '.join(sorted({str(a.dtype) for a in program.state}))}, where Fused carries float32")
    if (program.state and max(map(program.parts, program.state)) > MOST_PARTS) or _has_sum(program.jaxpr.jaxpr):
        raise Unfit("lets units meet through sums or slices of a vector")


def _has_sum(jaxpr: core.Jaxpr) -> bool:
    """Whether there is a sum, which `lanes` takes for the transpose of a broadcast."""
    called = [inner_jaxpr(eqn) for eqn in jaxpr.eqns]
    return any(eqn.primitive.name == "reduce_sum" for eqn in jaxpr.eqns) or any(
        _has_sum(inner.jaxpr) for inner in called if inner is not None
    )


__all__ = ["Program", "traced"]
