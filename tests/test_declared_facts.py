"""What cells declare about their steps, held against the numbers of Jacobians, in both directions: what is declared is
there, and what is there is declared. (What is found by tracing a step is in test_newton.py, structures' own facts are
in test_structures.py and test_jacobian_families.py.)"""

import functools
import operator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from support import random_like
from unroll_support import FEATURES, arguments, quick
from zoo import CELLS, HIDDEN, is_varied, parameters

from rnnzoo import run, structures
from rnnzoo.cells.base import Affine, Cell, Recurrent
from rnnzoo.cells.histories import without_histories, z_at
from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.spectral import pattern
from rnnzoo.typing import Control
from rnnzoo.unrolls.base import advance
from rnnzoo.unrolls.elementwise import family_of
from rnnzoo.wrappers.base import with_structure

DRAWS = 10
DIAGONAL, CASCADE = structures.Diagonal(), structures.Bidiagonal()
each_cell = parameters("cell", [with_structure(cell, DIAGONAL) for cell in CELLS], is_varied)


class Measured(NamedTuple):
    """Jacobians (D, 2, N, N) of one step, by the state as one vector: of D draws of all, each at two states."""

    jacobians: np.ndarray
    linear: bool  # whether those of the two states are equal
    units: np.ndarray | None  # (H, H): which unit hears which, in any vector; None for a state that has other leaves


def measured(cell: Any) -> Measured:
    size = cell.input_size_of(FEATURES)
    like = jax.eval_shape(lambda: cell.initial_state(cell.prepare(cell.init(jax.random.key(0), size))))
    like = without_histories(cell, like)
    moved = moves(cell, like)

    @quick
    def jacobians(key: Any) -> Any:
        keys = jax.random.split(key, 4)
        params = cell.prepare(random_like(keys[0], cell.init(keys[0], size), 0.5))
        past = random_like(keys[1], cell.initial_state(params))
        h, unravel = ravel_pytree(without_histories(cell, past))
        x_t = jax.random.normal(keys[2], cell.window_of(FEATURES))
        z_t = z_at(cell, params, x_t.at[..., -1].set(1) if cell.uses_dt else x_t, past)

        def step(h: Any) -> Any:
            return ravel_pytree(advance(cell, params, unravel(h), z_t, Control()))[0]

        other = h + 2 * moved * jax.random.normal(keys[3], h.shape)
        return jax.vmap(jax.jacfwd(step))(jnp.stack([h, other]))

    found = np.stack([np.asarray(jacobians(jax.random.key(seed))) for seed in range(DRAWS)])
    where = np.flatnonzero(moved)
    one, other = (found[:, k][:, where[:, None], where] for k in range(2))
    return Measured(found, np.allclose(one, other, rtol=1e-9, atol=1e-12), units_of(found, jax.tree.leaves(like)))


def moves(cell: Any, like: Any) -> np.ndarray:
    """1 for what a step is linear in, if it is in anything: of a matrix memory the matrix, else all."""
    memory = isinstance(cell.recurrence, MatrixMemory)
    parts = [np.full(leaf.size, not memory or path[0].key == "s", float)
             for path, leaf in jax.tree_util.tree_leaves_with_path(like)]  # fmt: skip
    return np.concatenate(parts)


def units_of(jacobians: np.ndarray, leaves: list[Any]) -> np.ndarray | None:
    if any(leaf.shape != (HIDDEN,) for leaf in leaves):
        return None
    heard = (jacobians != 0).any((0, 1))
    return heard.reshape(len(leaves), HIDDEN, len(leaves), HIDDEN).any((0, 2))


def entry_of(cell: Any) -> np.ndarray:
    """Which unit may hear which through the recurrent matrices."""
    return pattern(family_of({structure.jacobian for structure in cell.structures.values()}), HIDDEN)


@each_cell
def test_linearity_and_who_hears_whom(x64, cell):
    check(cell)


def check(cell: Any) -> None:
    found = measured(cell)
    assert found.linear == isinstance(cell.recurrence, (Affine, MatrixMemory))
    if isinstance(cell.recurrence, Affine):
        heard = (found.jacobians != 0).any((0, 1))
        declared = pattern(cell.recurrence.transition.jacobian, len(heard))
        assert not (heard & ~declared).any()
        assert is_diagonal(heard) == is_diagonal(declared)
        assert (found.units is not None) == cell.elementwise
    elif cell.elementwise:
        assert found.units is not None and not (found.units & ~entry_of(cell)).any()
        assert found.units.diagonal().all() and is_diagonal(found.units) == is_diagonal(entry_of(cell))
    else:
        assert found.units is None or (found.units & ~entry_of(cell)).any()


def is_diagonal(edges: np.ndarray) -> bool:
    return not (edges & ~np.eye(len(edges), dtype=bool)).any()


@parameters("cell", [c for c in CELLS if c.elementwise and c.structures], is_varied)
def test_units_meet_as_the_connectivity_of_the_matrices_says(x64, cell):
    """A cascade stays one: every unit hears itself, the next one, and none before it."""
    cell = with_structure(cell, CASCADE)
    units = measured(cell).units
    assert units is not None
    assert not (pattern(CASCADE, HIDDEN) & ~units).any() and not (units & ~entry_of(cell)).any()


@parameters("cell", [c for c in CELLS if c.structures], is_varied)
def test_every_declared_matrix_is_heard_and_no_other_is_there(x64, cell):
    params, xs, _ = arguments(cell, 3, ())
    loss = lambda p: sum((leaf**2).sum() for leaf in jax.tree.leaves(run(cell, p, xs)))  # noqa: E731
    grads = quick(jax.grad(loss))(params)
    assert set(cell.structures) == set(matrices_of(params))
    for name in cell.structures:
        *scopes, gate = name.split(".")
        heard = jax.tree.leaves(within(grads, scopes)["u"][gate])
        assert not heard or any(leaf.any() for leaf in heard), name


def within(tree: Any, scopes: list[str]) -> Any:
    return functools.reduce(operator.getitem, scopes, tree)


def matrices_of(params: Any, scope: str = "") -> list[str]:
    """The names of all entries "u" of parameters, by gate."""
    found = []
    for name, value in params.items():
        if name == "u" and isinstance(value, dict):
            found += [f"{scope}{gate}" for gate in value]
        elif isinstance(value, dict):
            found += matrices_of(value, f"{scope}{name}.")
    return found


@spec
class _Softmax(Recurrent):
    """Says nothing of its units, which meet outside of U."""

    structure: Structures = DIAGONAL

    def step(self, params, state, z_t, recur):
        return {"h": jax.nn.softmax(recur(state["h"])["h"])}


@spec
class _Apart(Recurrent):
    """Says that its units meet, which they do not."""

    elementwise = False
    structure: Structures = DIAGONAL

    def step(self, params, state, z_t, recur):
        return {"h": jnp.tanh(recur(state["h"])["h"])}


@spec
class _Leaks(Cell):
    """Is affine, and does not say so."""

    def step(self, params, state, z_t, recur):
        return {"h": 0.5 * state["h"] + z_t["h"]}


@spec
class _Squares(Affine):
    """Says that it is affine with a diagonal transition, and is not."""

    transition = DIAGONAL

    def affine(self, params, z_t):
        return z_t["h"], z_t["h"]

    def step(self, params, state, z_t, recur):
        return {"h": state["h"] ** 2}


@pytest.mark.parametrize("kind", [_Softmax, _Apart, _Leaks, _Squares])
def test_a_wrong_declaration_is_noticed(x64, kind):
    with pytest.raises(AssertionError):
        check(kind(hidden_size=HIDDEN))
