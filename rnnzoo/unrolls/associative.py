"""A parallel prefix over the steps of an affine cell (Blelloch 1990; Martin & Cundy 2018, arXiv:1709.04057)."""

import jax
import jax.numpy as jnp

from rnnzoo.advance import select, widen
from rnnzoo.base import Affine, Cell, Control, Unroll, spec
from rnnzoo.typing import Params, PyTree, State
from rnnzoo.unrolls.prefix import solve


@spec
class Associative(Unroll):
    """O(log T) deep where there are processors for it: h_t = A_t h_tm1 + b_t composes as (A, b) pairs do.

    On a CPU it does about three times the work of `Scan` and is slower. Only for `Affine` cells."""

    def refuses(self, cell: Cell) -> str | None:
        if isinstance(cell, Affine):
            return None
        return f"{type(cell).__name__} is not affine in its state; Associative runs cells with h_t = A_t h_tm1 + b_t"

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        assert isinstance(cell, Affine)
        if not jax.tree.leaves(zs)[0].shape[0]:
            return jax.tree.map(lambda a: a[None][:0], state)

        a, b = jax.vmap(_affine, (None, None, None, 0, 0))(cell, params, state, zs, controls)
        h = solve(cell.transition, a, b, state["h"])
        return {"h": h.astype(state["h"].dtype)}


def _affine(cell: Affine, params: Params, state: State, z_t: PyTree, control_t: Control) -> tuple[PyTree, PyTree]:
    """A_t and b_t under a control, as `rnnzoo.base.advance` means it: a reset puts A_t = 0, holding A_t = I."""
    size = state["h"].shape[0]
    a_t, b_t = cell.affine(params, widen(z_t))
    if control_t.reset is not None:
        fresh = cell.transition.matvec(a_t, cell.initial_state(params)["h"]) + b_t
        b_t = jnp.where(control_t.reset, fresh, b_t)
        a_t = select(control_t.reset, jax.tree.map(jnp.zeros_like, a_t), a_t)
    if control_t.active is not None:
        b_t = jnp.where(control_t.active, b_t, 0)
        identity = cell.transition.materialize(cell.transition.identity(size))
        a_t = select(control_t.active, a_t, identity)
    return a_t, b_t
