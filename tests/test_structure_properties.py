"""What single structures promise beyond the contract: orthogonality, symmetry, tied values, factors, fixed patterns."""

import functools
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from structure_support import draw
from support import assert_close

import rnnzoo
from rnnzoo import structures
from rnnzoo.structures import patterns

ORTHOGONAL = [structures.Householder(), structures.Givens(layers=3), structures.Cayley(), structures.Expm()]
ORTHOGONAL_AT_FIRST = [
    structures.Butterfly(), structures.Cycle(), structures.HadamardDiagonal(), structures.Kronecker(),
    structures.Monarch(), structures.Permutation(), structures.ShuffledBlocks(),
]  # fmt: skip
PATTERNS = [
    patterns.Clusters(), patterns.NeuralCircuit(), patterns.RandomEdges(density=0.2), patterns.RandomRows(),
    patterns.SmallWorld(rewired=0.5),
]  # fmt: skip


def matrix(structure, u, size: int) -> np.ndarray:
    return np.asarray(structure.matrix(jax.tree.map(jnp.asarray, u), size))


@pytest.mark.parametrize("structure", ORTHOGONAL, ids=str)
def test_orthogonal_before_and_after_a_gradient_step(x64, structure):
    before, weights = structure.init(jax.random.key(0), 6), jax.random.normal(jax.random.key(1), (6, 6))
    step = jax.jit(jax.grad(lambda u: (weights * structure.matrix(u, 6)).sum()))(before)
    after = jax.tree.map(lambda a, da: a - 0.5 * da, before, step)
    assert abs(matrix(structure, after, 6) - matrix(structure, before, 6)).max() > 1e-3
    for u in (before, after, draw(structure, 6)):
        assert_close(matrix(structure, u, 6) @ matrix(structure, u, 6).T, np.eye(6))


@pytest.mark.parametrize("structure", ORTHOGONAL_AT_FIRST, ids=str)
def test_orthogonal_at_first_only(x64, structure):
    first = matrix(structure, structure.init(jax.random.key(0), 16), 16)
    assert_close(first @ first.T, np.eye(16))
    later = matrix(structure, draw(structure, 16), 16)
    assert abs(later @ later.T - np.eye(16)).max() > 0.1


def test_determinants(x64):
    for structure, expected in [
        (structures.Householder(count=1), -1), (structures.Householder(count=2), 1), (structures.Givens(), 1),
        (structures.Cayley(), 1), (structures.Expm(), 1),
    ]:  # fmt: skip
        assert_close(np.linalg.det(matrix(structure, draw(structure, 4), 4)), np.array(float(expected)))


def test_householder_is_a_product_of_reflections(x64):
    u = draw(structures.Householder(count=3), 5)
    expected = np.eye(5)
    for v in np.asarray(u):
        expected = expected @ (np.eye(5) - 2 * np.outer(v, v) / (v @ v))
    assert_close(matrix(structures.Householder(count=3), u, 5), expected)


def test_cayley_and_exponential_of_one_rotation(x64):
    angle = 0.7
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert_close(matrix(structures.Expm(), jnp.array([angle]), 2), turn)
    assert_close(matrix(structures.Cayley(), jnp.array([np.tan(angle / 2)]), 2), turn.T)


@pytest.mark.slow
def test_cayley_of_many_units_does_not_crash():
    """In a process of its own, without the tests' XLA options: it overflowed a thread's stack on JAX 0.10."""
    code = """
import jax, jax.numpy as jnp, rnnzoo
u = jax.random.normal(jax.random.key(0), (1024 * 1023 // 2,)) / 1024
q = jax.jit(rnnzoo.structures.Cayley().materialize)(u)
assert jnp.abs(q @ q.T - jnp.eye(1024)).max() < 1e-4"""
    env = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_skew_and_symmetric(x64):
    a = matrix(structures.Skew(gamma=0.5), draw(structures.Skew(), 6), 6) + 0.5 * np.eye(6)
    np.testing.assert_array_equal(a, -a.T)
    pairs = matrix(structures.SkewBlocks(gamma=0.5), draw(structures.SkewBlocks(), 6), 6) + 0.5 * np.eye(6)
    np.testing.assert_array_equal(pairs, -pairs.T)
    b = matrix(structures.Symmetric(), draw(structures.Symmetric(), 6), 6)
    np.testing.assert_array_equal(b, b.T)


def test_fourier_forms_are_the_dense_ones(x64):
    i, j = np.indices((7, 7))
    u = draw(structures.Circulant(), 7)
    assert_close(matrix(structures.Circulant(), u, 7), np.asarray(u)[(i - j) % 7])
    u = draw(structures.Toeplitz(), 7)
    assert_close(matrix(structures.Toeplitz(), u, 7), np.asarray(u)[i - j + 6])


def test_kronecker_is_that_of_numpy(x64):
    structure = structures.Kronecker(factors=(2, 3, 2))
    u = draw(structure, 12)
    assert_close(matrix(structure, u, 12), functools.reduce(np.kron, [np.asarray(a) for a in u]))
    assert [a.shape[0] for a in draw(structures.Kronecker(), 24)] == [4, 6]


def test_monarch_is_the_product_of_its_factors(x64):
    u = jax.tree.map(np.asarray, draw(structures.Monarch(blocks=2), 6))
    right, left = np.zeros((6, 6)), np.zeros((6, 6))
    for k in range(2):
        right[3 * k : 3 * k + 3, 3 * k : 3 * k + 3] = u["right"][k]
    for j in range(3):
        left[j::3, j::3] = u["left"][j]
    assert_close(matrix(structures.Monarch(blocks=2), u, 6), left @ right)


def test_butterfly_is_the_product_of_its_factors(x64):
    u = np.asarray(draw(structures.Butterfly(), 8))
    expected = np.eye(8)
    for k in range(3):
        factor, s = np.zeros((8, 8)), 1 << k
        for p in range(4):
            q, r = divmod(p, s)
            places = [2 * q * s + r, (2 * q + 1) * s + r]
            factor[np.ix_(places, places)] = u[k, p]
        expected = factor @ expected
    assert_close(matrix(structures.Butterfly(), u, 8), expected)


def test_the_walsh_matrix(x64):
    walsh = np.array([[(-1) ** (i & j).bit_count() for j in range(8)] for i in range(8)]) / np.sqrt(8)
    u = np.asarray(draw(structures.HadamardDiagonal(), 8))
    expected = np.diag(u[0]) @ walsh @ np.diag(u[1]) @ walsh @ np.diag(u[2])
    assert_close(matrix(structures.HadamardDiagonal(), u, 8), expected)


def test_givens_layers(x64):
    u = np.asarray(draw(structures.Givens(), 6))
    expected = np.eye(6)
    for k in range(2):
        layer = np.zeros((6, 6))
        for n, a in enumerate(u[k]):
            p, q = 2 * n + k, (2 * n + k + 1) % 6
            layer[[p, q, q, p], [p, q, p, q]] = [np.cos(a), np.cos(a), np.sin(a), -np.sin(a)]
        expected = layer @ expected
    assert_close(matrix(structures.Givens(), u, 6), expected)


def test_the_permutation_is_fixed_by_its_seed():
    first, again, other = (matrix(structures.Permutation(seed=s), jnp.ones(9), 9) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any() and not first.diagonal().any()
    assert (first.sum(0) == 1).all() and (first.sum(1) == 1).all()
    assert jax.tree.map(jnp.shape, structures.Permutation().init(jax.random.key(0), 9)) == (9,)  # strengths alone


def test_dale_signs(x64):
    signs = np.array([1] * 6 + [-1] * 2)
    for structure in (structures.Dale(), structures.Masked(by=patterns.RandomRows(others=3))):
        u = matrix(structure, draw(structure, 8), 8)
        assert (u * signs >= 0).all() and (u < 0).any()


@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
def test_patterns_are_fixed_and_kept(x64, pattern):
    mask = pattern.mask(12)
    np.testing.assert_array_equal(mask, pattern.mask(12))
    assert mask.diagonal().all() and mask.sum() > 12 and not mask.all()
    assert (mask != type(pattern)(seed=1).mask(12)).any()
    sparse, masked = structures.SparseMask(pattern=pattern), structures.Masked(structure=structures.Dense(), by=pattern)
    u = np.asarray(draw(sparse, 12))
    expected = np.zeros((12, 12))
    expected[np.nonzero(mask)] = u
    assert_close(matrix(sparse, u, 12), expected)
    assert_close(matrix(masked, {"full": expected + ~mask, "size": jnp.zeros((12, 0))}, 12), expected)
    assert masked.num_params(12) == sparse.num_params(12) == masked.nonzeros(12) == mask.sum()


def test_layers_of_a_neural_circuit():
    mask = patterns.NeuralCircuit(motor=3, density=0.3).mask(20)
    inter, command, motor = slice(0, 11), slice(11, 17), slice(17, 20)
    between = mask & ~np.eye(20, dtype=bool)
    for layer in (inter, motor):
        assert not between[inter, :].any() and not between[layer, layer].any() and not between[command, motor].any()
    assert between[command, inter].any(1).all() and (between[command, inter].sum(0) >= 1).all()
    assert (between[command, command].sum(1) == 1).all()
    assert (between[motor, command].sum(1) == 1).all() and not between[motor, inter].any()


def test_a_torus_has_no_edge(x64):
    u = np.asarray(draw(structures.Grid(rows=3, torus=True), 12))
    expected = np.zeros((3, 4, 3, 4))
    for m, (dr, dc) in enumerate([(0, 0), (-1, 0), (0, -1), (0, 1), (1, 0)]):
        for r, c in np.ndindex(3, 4):
            expected[r, c, (r + dr) % 3, (c + dc) % 4] = u[m, 4 * r + c]
    assert_close(matrix(structures.Grid(rows=3, torus=True), u, 12), expected.reshape(12, 12))


def test_ranges_are_kept(x64):
    for low, high in [(-1.0, 1.0), (0.0, 1.0), (-0.5, 2.0)]:
        structure = structures.BoundedDiagonal(low=low, high=high)
        first = structure.matrix(structure.init(jax.random.key(0), 4000), 4000).diagonal()
        assert np.quantile(first, [0, 0.5, 1]) == pytest.approx([low, (low + high) / 2, high], abs=0.05)
        wide = structure.matrix({"logit": jnp.linspace(-30, 30, 5)}, 5).diagonal()
        assert (wide >= low).all() and (wide <= high).all() and np.ptp(wide) > 0.99 * (high - low)
    with pytest.raises(rnnzoo.UsageError, match=r"low is 1; accepted: less than high = 1"):
        structures.BoundedDiagonal(low=1.0)
    inside = structures.StableComplex()
    for nu in (-20.0, 0.0, 20.0):
        u = {"nu": jnp.full(3, nu), "theta": jnp.arange(3.0)}
        assert np.abs(np.linalg.eigvals(matrix(inside, u, 6))).max() <= 1
    u = {"nu": jnp.log(jnp.array([0.1, 0.3])), "theta": jnp.array([0.5, 2.0])}
    expected = np.exp([-0.1 + 0.5j, -0.3 + 2j, -0.1 - 0.5j, -0.3 - 2j])
    assert_close(np.sort_complex(np.linalg.eigvals(matrix(inside, u, 4))), np.sort_complex(expected))


def test_complex_pairs_are_complex_numbers(x64):
    for inner in (structures.Dense(), structures.ToeplitzBlocks(block=2), structures.Diagonal()):
        structure, rng = structures.ComplexPairs(structure=inner), np.random.default_rng(0)
        u, h = draw(structure, 8), rng.normal(size=4) + 1j * rng.normal(size=4)
        y = (matrix(inner, u["re"], 4) + 1j * matrix(inner, u["im"], 4)) @ h
        ours = structure.matvec(u, jnp.concatenate([h.real, h.imag]))
        assert_close(np.asarray(ours), np.concatenate([y.real, y.imag]))
    pairs, diagonal = structures.ComplexPairs(structure=structures.Diagonal()), structures.ComplexDiagonal()
    assert_close(matrix(pairs, draw(pairs, 8), 8), matrix(diagonal, draw(pairs, 8), 8))


def test_sums_and_multiples(x64):
    structure = structures.Sum(a=structures.Diagonal(), b=structures.Scaled(structure=structures.LowRank(), scale=0.5))
    u = draw(structure, 5)
    expected = np.diag(u["a"]) + 0.5 * np.asarray(u["b"]["a"] @ u["b"]["b"].T)
    assert_close(matrix(structure, u, 5), expected)
    assert structure.num_params(5) == 15 and structure.nonzeros(5) == 25
