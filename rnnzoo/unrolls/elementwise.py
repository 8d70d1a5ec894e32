"""Whether the units of a cell meet only through its recurrent matrices, found by tracing its step.

Such a step is made of functions of single units and of products U h. Its Jacobian then is in the family that diagonal
matrices and U generate (`rnnzoo.base.Structure.jacobian`), in a table with a row and a column for each vector carried.
"""

from collections.abc import Callable
from typing import Any

import jax

from rnnzoo.cells.base import Affine, Cell
from rnnzoo.cells.recur import Site, Sums, matrices
from rnnzoo.jaxprs import ELEMENTWISE, inner_jaxpr, is_literal
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.structures.partitioned import Partitioned
from rnnzoo.typing import Array, Control, Params, PyTree, State, widen
from rnnzoo.unrolls.base import advance, plain_sums


def mixes(cell: Cell, params: Params, state: State, z_t: PyTree, control_t: Control) -> str | None:
    """What lets units of `cell` meet besides its recurrent matrices, None if nothing. Arguments give shapes only."""
    shapes = {leaf.shape for leaf in jax.tree.leaves(state)}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1:
        return f"vectors of {len(shapes)} shapes" if len(shapes) > 1 else f"a state of shape {next(iter(shapes))}"
    sums, step = opened(cell, params, state, z_t, control_t)
    jaxpr = jax.make_jaxpr(step)(sums, state, z_t, control_t).jaxpr
    active = set(jaxpr.invars[: len(sums) + len(jax.tree.leaves(state))])
    return _mixing(jaxpr, active, next(iter(shapes)))


def opened(
    cell: Cell, params: Params, state: State, z_t: PyTree, control_t: Control
) -> tuple[dict[Site, Any], Callable[..., tuple[State, dict[Site, Array]]]]:
    """The step of `cell`, cut where its recurrent matrices are: the shapes of z_t[gate] + U_gate vector at every site,
    and a function from these sums, the state, z_t and the control to the new state and the vectors at every site."""
    us, rest = matrices(params, tuple(cell.structures))
    initial = cell.initial_state(params) if control_t.reset is not None else None

    def with_sums(make: Callable[[PyTree], Sums]) -> Callable[..., Any]:
        return lambda state, z_t, control_t: advance(cell, rest, state, z_t, control_t, initial, make(widen(z_t)))

    def shapes_of_sums(state: State, z_t: PyTree, control_t: Control) -> dict[Site, Array]:
        found: dict[Site, Array] = {}

        def noted(z_t: PyTree) -> Sums:
            plain = plain_sums(cell, us, z_t)

            def sums(heard: dict[Site, Array]) -> dict[Site, Array]:
                found.update(here := plain(heard))
                return here

            return sums

        with_sums(noted)(state, z_t, control_t)
        return found

    def step(sums: dict[Site, Array], state: State, z_t: PyTree, control_t: Control) -> Any:
        heard: dict[Site, Array] = {}

        def given(now: dict[Site, Array]) -> dict[Site, Array]:
            heard.update(now)
            return {site: sums[site] for site in now}

        return with_sums(lambda _: given)(state, z_t, control_t), heard

    return jax.eval_shape(shapes_of_sums, state, z_t, control_t), step


def _mixing(jaxpr: Any, active: set, shape: tuple[int, ...]) -> str | None:
    """The first equation that is not elementwise in what depends on `active` variables, which it adds to."""
    for eqn in jaxpr.eqns:
        heard = [not is_literal(var) and var in active for var in eqn.invars]
        if not any(heard):
            continue
        if (called := inner_jaxpr(eqn)) is not None:
            inner = called.jaxpr
            within = {var for var, is_heard in zip(inner.invars, heard, strict=True) if is_heard}
            if reason := _mixing(inner, within, shape):
                return reason
            outs = zip(eqn.outvars, inner.outvars, strict=True)
            active |= {out for out, var in outs if not is_literal(var) and var in within}
            continue
        sizes = [var.aval.shape for var, is_heard in zip(eqn.invars, heard, strict=True) if is_heard]
        if eqn.primitive.name not in ELEMENTWISE or any(s != shape for s in sizes):
            return eqn.primitive.name
        active |= set(eqn.outvars)
    return None


def jacobian_family(cell: Cell, params: Params, state: State, z_t: PyTree, control_t: Control) -> Algebra:
    """An algebra that holds d state_t / d state_tm1 of `cell`, the state being one vector, leaf after leaf."""
    if isinstance(cell.recurrence, Affine):
        return cell.recurrence.transition.jacobian
    if mixes(cell, params, state, z_t, control_t) is not None:
        return Dense()
    entry = family_of({structure.jacobian for structure in cell.structures.values()})
    vectors = len(jax.tree.leaves(state))
    # One large matrix rather than a table of matrices: the product is one product.
    return entry if vectors == 1 or entry == Dense() else Partitioned(parts=vectors, entry=entry)


def family_of(found: set[Algebra]) -> Algebra:
    """One algebra that holds all of these, as small as we know. Each holds all diagonal matrices."""
    found = found - {Diagonal()}
    return Diagonal() if not found else found.pop() if len(found) == 1 else Dense()
