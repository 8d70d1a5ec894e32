"""Affine recurrences as linear systems: what the unrolls that are parallel in time share."""

import abc
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.cells.base import Affine, Cell
from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra
from rnnzoo.trees import vary_like
from rnnzoo.typing import Array, Control, Float, Params, PyTree, State, widen
from rnnzoo.unrolls.base import Ran, Unroll, around, select, with_last


@dataclasses.dataclass(frozen=True)
class Products:
    """What can be done with the matrices of a recurrence, whatever their family."""

    apply: Callable[[PyTree, Array], Array]  # A h
    apply_transposed: Callable[[PyTree, Array], Array]  # A^T h
    compose: Callable[[PyTree, PyTree], PyTree]  # A B (B acts first)
    bare: Callable[[PyTree], PyTree]  # A as a product takes it

    @classmethod
    def of(cls, algebra: Algebra) -> "Products":
        """Those of an algebra."""

        def apply_transposed(a, h):
            return jax.linear_transpose(functools.partial(algebra.matvec, a), h)(h)[0]

        return cls(algebra.matvec, apply_transposed, algebra.compose, algebra.bare)

    def with_resets(self) -> "Products":
        """The same for pairs (A, whether A is 0 because of a reset). There, nothing of what came before is left, not
        even of what is NaN or infinite, which 0 times it would keep."""

        def apply(pair, h):
            a, reset = pair
            return self.apply(a, jnp.where(reset, 0, h))

        def apply_transposed(pair, h):
            a, reset = pair
            return jnp.where(reset, 0, self.apply_transposed(a, h))

        def compose(second, first):
            (a, reset), (b, reset_before) = second, first
            b = select(reset, jax.tree.map(jnp.zeros_like, b), b)
            return self.compose(a, b), reset | reset_before

        return Products(apply, apply_transposed, compose, lambda pair: (self.bare(pair[0]), pair[1]))

    def transposed(self) -> "Products":
        """The same for the matrices A^T, each given by A. (A B)^T = B^T A^T."""
        return Products(self.apply_transposed, self.apply, lambda a, b: self.compose(b, a), self.bare)

    def mapped(self) -> "Products":
        """The same over a leading axis of everything."""
        return Products(*(jax.vmap(getattr(self, field.name)) for field in dataclasses.fields(self)))

    def join(self, first: tuple[PyTree, Array], second: tuple[PyTree, Array]) -> tuple[PyTree, Array]:
        """Two maps h -> A h + b as one."""
        (a1, b1), (a2, b2) = first, second
        return self.compose(a2, a1), self.apply(a2, b1) + b2


@spec
class AffineUnroll(Unroll):
    """h_t = A_t h_tm1 + b_t at all t is one linear system in all the states. Subclasses solve it; its derivatives are
    those of a linear system: one more solution, with the transposed matrices in reverse for a gradient.

    Nothing is ever divided by a product of matrices, so that one of decays may underflow to 0, which is then right."""

    symbolic = False

    @abc.abstractmethod
    def _solve(self, products: Products, a: PyTree, b: Float[Array, "T ..."], reverse: bool) -> Float[Array, "T ..."]:
        """h_t = A_t h_tm1 + b_t from h = 0 before the first step; in reverse, from h = 0 after the last. T > 0.
        `products` are those of one step: of (H,), or of all lanes (B, H)."""

    def refuses(self, cell: Cell) -> str | None:
        if isinstance(cell.recurrence, Affine):
            return None
        name = type(self).__name__
        return f"{type(cell).__name__} is not affine in its state; {name} runs cells with h_t = A_t h_tm1 + b_t"

    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        affine = cell.recurrence
        assert isinstance(affine, Affine)
        maps = functools.partial(_affine, affine, params)
        return self._states(_products(affine, controls), maps, state, zs, controls)

    def apply(
        self, cell: Cell, params: Params, state: State, xs: Array, controls: Control, *, states: bool = False
    ) -> Ran:
        # All lanes in one system: a batch of systems would be solved batch first, and transposed back and forth.
        affine = cell.recurrence
        assert isinstance(affine, Affine)
        maps = jax.vmap(functools.partial(_affine, affine, params))
        solved = functools.partial(self._states, _products(affine, controls).mapped(), maps)

        def lanes(state, zs, controls):
            return with_last(solved(state, zs, controls), state)

        return around(lanes, cell, params, state, xs, controls, states=states)

    def _states(self, products: Products, maps: Any, state: State, zs: PyTree, controls: Control) -> State:
        """The states after each step; `maps` gives A_t and b_t."""
        h_0 = state["h"]
        if not jax.tree.leaves(zs)[0].shape[0]:
            return {"h": h_0[None][:0]}
        a, b = jax.vmap(maps)(zs, controls)
        a = vary_like(a, b)
        b = b.astype(jnp.result_type(h_0, b, *jax.tree.leaves(a)))
        first = products.apply(jax.tree.map(lambda a: a[0], a), h_0) + b[0]
        h = self.system(products, a, jnp.concatenate([first[None].astype(b.dtype), b[1:]]))
        return {"h": h.astype(h_0.dtype)}

    def system(self, products: Products, a: PyTree, b: Array) -> Array:
        """h_0 = b_0, h_t = A_t h_tm1 + b_t. `custom_linear_solve` derives from the system, not from its solution."""
        bare = jax.vmap(products.bare)(a)

        def system(h):
            before = jnp.concatenate([jnp.zeros_like(h[:1]), h[:-1]])
            return h - jax.vmap(products.apply)(a, before)

        def solve(_, b):
            return self._solve(products, bare, b, reverse=False)

        def solve_transposed(_, g):  # lambda_t = A_tp1^T lambda_tp1 + g_t
            after = jax.tree.map(lambda a: jnp.concatenate([a[1:], jnp.zeros_like(a[:1])]), bare)
            return self._solve(products.transposed(), after, g, reverse=True)

        return lax.custom_linear_solve(system, b, solve, solve_transposed)


def _products(cell: Affine, controls: Control) -> Products:
    """What can be done with what `_affine` gives."""
    products = Products.of(cell.transition)
    return products if controls.reset is None else products.with_resets()


def _affine(cell: Affine, params: Params, z_t: PyTree, control_t: Control) -> tuple[PyTree, PyTree]:
    """A_t and b_t under a control, as `advance` means it: a reset puts A_t = 0, holding A_t = I. With resets,
    A_t comes with whether it is one."""
    a_t, b_t = cell.affine(params, widen(z_t))
    if control_t.reset is not None:
        fresh = cell.transition.matvec(a_t, cell.initial_state(params)["h"]) + b_t
        b_t = jnp.where(control_t.reset, fresh, b_t)
        a_t = select(control_t.reset, jax.tree.map(jnp.zeros_like, a_t), a_t)
    if control_t.active is not None:
        b_t = jnp.where(control_t.active, b_t, 0)
        identity = cell.transition.materialize(cell.transition.identity(cell.state_size))
        a_t = select(control_t.active, a_t, identity)
    if control_t.reset is None:
        return a_t, b_t
    return (a_t, control_t.reset if control_t.active is None else control_t.reset & control_t.active), b_t
