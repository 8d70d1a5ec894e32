"""The nearest member of each family, and growth into wider ones."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from structure_support import draw, fits
from zoo import own_structures

import rnnzoo
from rnnzoo import structures
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.nearest import dependence, grow, nearest

every_default = pytest.mark.parametrize("structure", own_structures(), ids=str)


@spec
class Tied(Structure):
    """One number on the diagonal, one below it: entries of U are averaged in a projection."""

    connectivity = "cascade"  # pyright: ignore
    closure = structures.Dense()  # pyright: ignore

    def init(self, key, size):
        return {"same": jax.random.normal(key, ()), "below": jax.random.normal(key, ())}

    def matvec(self, u, h):
        return u["same"] * h + u["below"] * jnp.pad(h[:-1], (1, 0))


@spec
class Overlapping(Structure):
    """Two parameters share entries: the basis is not orthogonal."""

    connectivity = "cyclic"  # pyright: ignore
    closure = structures.Dense()  # pyright: ignore

    def init(self, key, size):
        return {"d": jax.random.normal(key, (size,)), "all": jax.random.normal(key, (2,))}

    def matvec(self, u, h):
        return u["d"] * h + u["all"][0] * h.sum() + u["all"][1] * h * jnp.arange(h.shape[0])


def is_promised(structure: Structure) -> bool:
    """Whether the nearest member is promised: not where only descents are there to find it."""
    closed = type(structure).nearest is not Structure.nearest
    return closed or dependence(structure, size_of(structure)) != "nonlinear"


def size_of(structure: Structure) -> int:
    return next(size for size in (8, 9) if fits(structure, size))


@every_default
def test_members_are_their_own_projection(structure):
    size = size_of(structure)
    u = structure.init(jax.random.key(3), size)
    dense = np.asarray(structure.matrix(u, size), np.float64)
    found, error = nearest(dense, structure)
    gap = np.linalg.norm(structure.matrix(found, size) - dense) / (np.linalg.norm(dense) or 1)
    assert error == pytest.approx(gap, abs=1e-5)
    if is_promised(structure):
        again = structure.matrix(grow(structure, u, structure, size=size), size)
        np.testing.assert_allclose(again, dense, atol=1e-5 * np.abs(dense).max())


@pytest.mark.parametrize("structure", [*own_structures(), Tied(), Overlapping()], ids=str)
def test_no_member_nearby_is_nearer(x64, structure):
    size = size_of(structure)
    dense = np.random.default_rng(1).normal(size=(size, size))
    u, error = nearest(dense, structure)
    gap = np.linalg.norm(structure.matrix(u, size) - dense) / np.linalg.norm(dense)
    assert error == pytest.approx(gap, abs=1e-9)
    flat, unravel = ravel_pytree(u)
    slope = jax.grad(lambda x: jnp.sum((structure.matrix(unravel(x), size) - dense) ** 2))(flat)
    if is_promised(structure):
        assert np.abs(slope).max(initial=0) < (1e-6 if dependence(structure, size) == "nonlinear" else 1e-9)
    if flat.size and dependence(structure, size) != "nonlinear":  # against a solution with the whole basis
        basis = jax.jacfwd(lambda x: structure.matrix(unravel(x), size).reshape(-1))(flat)
        best = np.linalg.lstsq(np.asarray(basis), dense.reshape(-1), rcond=None)[0]
        assert gap == pytest.approx(np.linalg.norm(basis @ best - dense.reshape(-1)) / np.linalg.norm(dense))


def test_how_u_depends_is_found_out():
    assert dependence(structures.Banded(), 6) == "orthogonal"
    assert dependence(Tied(), 6) == "orthogonal"
    assert dependence(Overlapping(), 6) == "linear"
    assert dependence(structures.LowRank(), 6) == "nonlinear"


def test_a_band_keeps_what_is_inside_it_to_the_bit_and_tied_numbers_are_means():
    dense = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    u, error = nearest(dense, structures.Banded())
    inside = np.tril(np.triu(dense, -1), 1)
    np.testing.assert_array_equal(structures.Banded().matrix(u, 7), inside)
    assert error == pytest.approx(np.linalg.norm(dense - inside) / np.linalg.norm(dense), abs=1e-6)
    u, _ = nearest(dense, Tied())
    assert u["same"] == pytest.approx(np.diag(dense).mean(), abs=1e-6)
    assert u["below"] == pytest.approx(np.diag(dense, -1).mean(), abs=1e-6)


@pytest.mark.parametrize("rank", [1, 2, 6])
def test_low_rank_is_the_truncated_singular_value_decomposition(x64, rank):
    dense = np.random.default_rng(0).normal(size=(6, 6))
    _, error = nearest(dense, structures.LowRank(rank=rank))
    left_out = np.linalg.svd(dense)[1][rank:]
    assert error == pytest.approx(np.linalg.norm(left_out) / np.linalg.norm(dense), abs=1e-9)


CHAIN = [structures.Diagonal(), structures.Banded(), structures.Banded(bandwidth=3), structures.Dense()]


@pytest.mark.parametrize(("narrow", "wide"), [*itertools.pairwise(CHAIN)], ids=str)
def test_growth_keeps_the_matrix_to_the_bit(narrow, wide):
    u = narrow.init(jax.random.key(0), 8)
    grown = grow(narrow, u, wide, size=8)
    like = jax.eval_shape(lambda: wide.init(jax.random.key(0), 8))
    assert jax.tree.map(lambda a: (a.shape, a.dtype), grown) == jax.tree.map(lambda a: (a.shape, a.dtype), like)
    np.testing.assert_array_equal(wide.matrix(grown, 8), narrow.matrix(u, 8))


@every_default
def test_every_structure_grows_into_its_closure(structure):
    if not is_promised(structure.closure):
        pytest.skip("the closure's nearest member is not promised")
    size = size_of(structure)
    u = draw(structure, size)
    dense = np.asarray(structure.matrix(u, size))
    grown = structure.closure.matrix(grow(structure, u, structure.closure, size=size), size)
    np.testing.assert_allclose(grown, dense, atol=1e-5 * np.abs(dense).max())


def test_new_sums_of_a_grown_low_rank_can_learn():
    narrow, wide = structures.LowRank(rank=1), structures.LowRank(rank=3)
    u = grow(narrow, narrow.init(jax.random.key(0), 6), wide, size=6)
    h = jnp.arange(1.0, 7)
    slope: Any = jax.grad(lambda u: (wide.matvec(u, h) ** 3).sum())(u)
    assert np.abs(slope["a"]).max(0).min() > 1e-3


def test_growth_into_what_cannot_hold_it_is_refused_with_the_error():
    dense = structures.Dense()
    with pytest.raises(rnnzoo.UsageError, match=r"Diagonal\(\) cannot hold this matrix .* by 0\.\d+ of its norm"):
        grow(dense, dense.init(jax.random.key(0), 5), structures.Diagonal(), size=5)
    with pytest.raises(rnnzoo.UsageError, match=r"shape \(2, 3\); accepted: \(H, H\)"):
        nearest(np.ones((2, 3)), dense)
    assert nearest(np.zeros((3, 3)), structures.Diagonal())[1] == 0


def test_zero_and_repeated_eigenvalues_have_a_nearest_member(x64):
    """Closed forms by singular values divide by none that is 0; a distance from 0 is absolute."""
    chain = 0.5 * np.eye(4) + np.eye(4, k=1)
    for structure, dense, expected in [
        (structures.LowRank(rank=2), np.zeros((4, 4)), 0),
        (structures.LowRank(rank=2), np.eye(4), np.sqrt(1 / 2)),
        (structures.Kronecker(), np.zeros((4, 4)), 0),
        (structures.Kronecker(), 2 * np.eye(4), 0),
        (structures.Monarch(), np.zeros((4, 4)), 0),
        (structures.Jordan(block=4), chain, 0),
        (structures.Bidiagonal(), chain, 0),
        (structures.Diagonal(), chain, np.sqrt(3 / 4)),
        (structures.Identity(), np.zeros((4, 4)), 2),
        (structures.Circulant(), 1e-30 * np.eye(4), 0),
    ]:
        u, error = nearest(dense, structure)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(u))
        assert error == pytest.approx(expected, abs=1e-12), structure
        gap = np.linalg.norm(np.asarray(structure.matrix(u, 4)) - dense) / (np.linalg.norm(dense) or 1)
        assert gap == pytest.approx(error, abs=1e-12)


def test_what_is_no_matrix_of_real_numbers_is_refused():
    for dense, message in [
        ([[np.nan, 0], [0, 1]], "the matrix has entries that are not finite; accepted: finite numbers"),
        ([[1j, 0], [0, 1]], "the matrix is complex128; accepted: real numbers"),
    ]:
        with pytest.raises(rnnzoo.UsageError, match=message):
            nearest(dense, structures.Diagonal())
    with pytest.raises(rnnzoo.UsageError, match="not finite"):
        grow(structures.Diagonal(), jnp.array([jnp.nan, 1.0]), structures.Dense(), size=2)
