"""The question's theorem: without the nonlinearity, a diagonal (or Jordan) U computes what any U does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import rnnzoo
from rnnzoo import cells, run, structures
from rnnzoo.analysis.coordinates import markov, same_map, to_diagonal, to_jordan


def system(u, seed=0):
    rng = np.random.default_rng(seed)
    return np.asarray(u, float), rng.normal(size=(len(u), 3)), rng.normal(size=(2, len(u)))


def random_u(size, seed=0):
    return np.random.default_rng(seed).normal(size=(size, size)) / np.sqrt(size)


def with_jordan_form(*blocks, seed=0):
    """A matrix with these (eigenvalue, length) chains, in mixed coordinates; and its Jordan form."""
    size, at = sum(n for _, n in blocks), 0
    jordan = np.zeros((size, size))
    for value, n in blocks:
        jordan[at : at + n, at : at + n] = value * np.eye(n) + np.eye(n, k=1)
        at += n
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]
    return q @ jordan @ q.T


def chains(jordan):
    """The (eigenvalue, length) of every chain, sorted."""
    found, at = [], 0
    while at < len(jordan):
        end = at + 1
        while end < len(jordan) and jordan[end - 1, end] == 1:
            end += 1
        found.append((complex(np.round(jordan[at, at], 5)), end - at))
        at = end
    return sorted(found, key=lambda pair: (pair[0].real, pair[0].imag, pair[1]))


@pytest.mark.parametrize("size", [1, 2, 5, 16])
@pytest.mark.parametrize("form", ["complex", "real", "jordan"])
def test_outputs_depend_on_the_input_in_the_same_way(size, form):
    u, w, v = system(random_u(size))
    found = to_jordan(u, w, v) if form == "jordan" else to_diagonal(u, w, v, real=form == "real")
    np.testing.assert_allclose(markov(found.u, found.w, found.v, 40), markov(u, w, v, 40), atol=1e-9)
    assert same_map(found, u, w, v) and not same_map(found, u, w, 2 * v)
    assert found.condition == pytest.approx(np.linalg.cond(found.basis)) and found.condition >= 1 - 1e-9


def test_the_diagonal_form_is_diagonal_and_the_real_form_has_blocks_of_two():
    u, w, v = system(random_u(9))
    np.testing.assert_allclose(found := to_diagonal(u, w, v).u, np.diag(np.diag(found)), atol=1e-12)
    real = to_diagonal(u, w, v, real=True)
    assert not any(np.iscomplexobj(a) for a in (real.u, real.w, real.v))
    lone = int((np.linalg.eigvals(u).imag == 0).sum())
    expected = np.diag(np.diag(real.u))
    for i in range(lone, 9, 2):
        (re, im), (other, same) = real.u[i : i + 2, i : i + 2]
        assert re == pytest.approx(same) and im == pytest.approx(-other) and other > 0
        expected[i : i + 2, i : i + 2] = real.u[i : i + 2, i : i + 2]
    np.testing.assert_allclose(real.u, expected, atol=1e-12)


@pytest.mark.parametrize(
    "blocks",
    [
        ((0.5, 2),),
        ((0.5, 3), (-0.25, 1)),
        ((0.5, 2), (0.5, 2), (0.5, 1)),
        ((0.0, 4), (0.9, 1), (0.3, 2)),
        ((0.7, 1), (0.7, 1)),
    ],
)
def test_chains_are_found(blocks):
    u, w, v = system(with_jordan_form(*blocks))
    # Rounding moves the eigenvalues of a chain of n by about eps^(1/n).
    found = to_jordan(u, w, v, tolerance=1e-3)
    assert chains(found.u) == sorted([(complex(a), n) for a, n in blocks], key=lambda p: (p[0].real, p[1]))
    np.testing.assert_allclose(markov(found.u, found.w, found.v, 20), markov(u, w, v, 20), atol=1e-8)


@pytest.mark.parametrize(
    ("u", "expected"),
    [
        (np.zeros((1, 1)), [(0, 1)]),
        (np.zeros((4, 4)), [(0, 1)] * 4),
        (2 * np.eye(3), [(2, 1)] * 3),
        (np.eye(4, k=1), [(0, 4)]),
        (np.ones((3, 3)), [(0, 1), (0, 1), (3, 1)]),
        (np.outer([1, 2, 3], [1, -2, 1]), [(0, 1), (0, 2)]),
        (1e-6 * (np.eye(2) + np.eye(2, k=1)), [(1e-6, 2)]),
        (1e8 * np.diag([1.0, 1.0, 2.0]), [(1e8, 1), (1e8, 1), (2e8, 1)]),
    ],
    ids=["zero 1", "zero 4", "multiple", "nilpotent", "rank 1", "rank 1 nilpotent", "small", "large"],
)
def test_zero_repeated_and_defective_matrices(u, expected):
    found = to_jordan(*system(u.astype(float)))
    scale = float(np.linalg.norm(u, 2)) or 1.0
    assert [n for _, n in chains(found.u)] == [n for _, n in expected]
    values = [a for a, n in expected for _ in range(n)]
    np.testing.assert_allclose(np.sort_complex(np.diag(found.u)), values, atol=1e-6 * scale)
    above = found.u - np.diag(np.diag(found.u))
    assert set(np.unique(above)) <= {0, 1} and np.array_equal(above, np.triu(above))
    assert same_map(found, *system(u.astype(float)))


@pytest.mark.parametrize("form", [to_jordan, to_diagonal])
def test_what_has_no_form_is_refused_before_numpy_fails(form):
    for u, message in [
        (np.full((2, 2), np.nan), "U has entries that are not finite; accepted: finite numbers"),
        (np.diag([1.0, np.inf]), "U has entries that are not finite"),
        (1j * np.eye(2), "U is complex128; accepted: real numbers"),
        (np.zeros((0, 0)), r"shapes \(0, 0\), .*; accepted: \(H, H\)"),
        (np.eye(3, k=1) * 1e-200, "condition number"),
        (np.eye(2, k=1) * 5e-324, "condition number|U has norm 4.9e-324; accepted: 0, or at least 2.2e-308"),
    ]:
        with pytest.raises(rnnzoo.UsageError, match=message):
            form(u, np.ones((len(u), 1)), np.ones((1, len(u))))


def test_a_complex_pair_of_chains_is_found():
    pair = np.array([[0.3, -0.6], [0.6, 0.3]])
    u = np.block([[pair, np.eye(2)], [np.zeros((2, 2)), pair]])
    found = to_jordan(*system(u), tolerance=1e-5)
    assert chains(found.u) == [(0.3 - 0.6j, 2), (0.3 + 0.6j, 2)]
    assert same_map(found, *system(u))


def test_what_has_no_good_basis_is_refused_with_the_condition_number():
    u, w, v = system(np.array([[0.5, 1.0], [0.0, 0.5]]))
    with pytest.raises(rnnzoo.UsageError, match=r"condition number .*; accepted: up to limit = 1e\+08"):
        to_diagonal(u, w, v)
    with pytest.raises(rnnzoo.UsageError, match="condition number"):
        to_jordan(*system(np.diag([1.0, 1.0 + 1e-9]) + np.diag([1.0], 1)), tolerance=1e-12)
    with pytest.raises(rnnzoo.UsageError, match=r"accepted: \(H, H\), \(H, I\), \(O, H\)"):
        to_diagonal(u, w.T, v)


def test_it_holds_for_a_cell_with_the_identity_but_not_with_tanh(x64):
    size, length = 6, 12
    dense = cells.Elman(hidden_size=size, bias=False, activation="identity")
    params = dense.init(jax.random.key(0), 3)
    u, w = np.asarray(params["u"]["h"]), np.asarray(params["w"]["h"])
    found = to_diagonal(u, w, np.eye(size), real=True)
    block = cells.Elman(hidden_size=size, bias=False, activation="identity", structure=structures.Banded(bandwidth=1))
    from rnnzoo.structures.nearest import nearest

    band, error = nearest(found.u, block.structure_of("h"))
    assert error < 1e-12  # pairs of units are a band three wide
    xs = jax.random.normal(jax.random.key(1), (length, 3))
    other = {"w": {"h": jnp.asarray(found.w)}, "u": {"h": band}}
    ys, zs = run(dense, params, xs)[0], run(block, other, xs)[0] @ found.v.T
    np.testing.assert_allclose(zs, ys, atol=1e-9)
    bent = [cells.Elman(hidden_size=size, bias=False, structure=c.structure) for c in (dense, block)]
    ys, zs = run(bent[0], params, xs)[0], run(bent[1], other, xs)[0] @ found.v.T
    assert np.abs(ys - zs).max() > 0.1
