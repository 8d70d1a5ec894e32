"""What each initializer promises, with every structure that it accepts; and what the others are told."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from structure_support import draw, fits, fitting
from zoo import defaults, own_structures

import rnnzoo
from rnnzoo import cells, initializers, structures
from rnnzoo.initializers.spectral_radius import EXACT
from rnnzoo.structures.base import Structure
from rnnzoo.structures.spectral import with_unit_radius

EVERY = defaults("initializers")
every_structure = pytest.mark.parametrize("structure", own_structures(), ids=str)


def size_of(structure: Structure) -> int:
    return next(size for size in (8, 9) if fits(structure, size))


def drawn(initializer: Any, structure: Structure, size: int, seed: int = 0) -> np.ndarray:
    return np.asarray(structure.matrix(initializer.matrix(jax.random.key(seed), structure, size), size))


def radius(matrix: np.ndarray) -> float:
    return float(np.abs(np.linalg.eigvals(matrix.astype(float))).max())


def accepted(initializer: Any, structure: Structure) -> bool:
    return initializer.refuses(structure, size_of(structure)) is None


@pytest.mark.parametrize("initializer", EVERY, ids=str)
@every_structure
def test_draws_under_jit_and_vmap_what_the_structure_takes_or_refuses(initializer, structure):
    size = size_of(structure)
    if not accepted(initializer, structure):
        with pytest.raises(rnnzoo.UsageError) as error:
            initializer.matrix(jax.random.key(0), structure, size)
        assert f"{initializer} cannot draw {structure} of hidden_size {size}: " in str(error.value)
        assert "; accepted: " in str(error.value)
        return
    like = jax.eval_shape(lambda: structure.init(jax.random.key(0), size))
    if type(structure) is structures.Cycle and isinstance(initializer, initializers.Reservoir):
        with pytest.raises(rnnzoo.UsageError, match="no cycle; accepted: a larger density"):
            initializer.matrix(jax.random.key(0), structure, size)  # all of it would have to be drawn at once
        return
    u = initializer.matrix(jax.random.key(0), structure, size)
    traced = jax.jit(jax.vmap(lambda k: initializer.matrix(k, structure, size)))(jax.random.split(jax.random.key(0), 2))
    assert jax.tree.map(lambda a: (a.shape, a.dtype), u) == jax.tree.map(lambda a: (a.shape, a.dtype), like)
    assert jax.tree.map(lambda a: (a.shape[1:], a.dtype), traced) == jax.tree.map(lambda a: (a.shape, a.dtype), like)
    assert all(np.isfinite(a).all() for a in jax.tree.leaves((u, traced)))


@every_structure
def test_the_spectral_radius_is_what_was_asked_for(structure):
    for initializer in (initializers.SpectralRadius(radius=0.7), initializers.Reservoir(radius=0.7, density=0.5)):
        if accepted(initializer, structure):
            assert radius(drawn(initializer, structure, size_of(structure), 3)) == pytest.approx(0.7, rel=1e-4)


@every_structure
def test_the_spectral_radius_of_few_units(structure):
    for size in (n for n in (1, 2, 3) if fits(structure, n)):
        initializer = initializers.SpectralRadius(radius=0.7)
        if initializer.refuses(structure, size) is None:
            assert radius(drawn(initializer, structure, size, 3)) == pytest.approx(0.7, rel=1e-4)
        assert np.isfinite(np.asarray(structure.matrix(structure.init(jax.random.key(3), size), size))).all()


CIRCULANT_PAIRS = structures.ComplexPairs(structure=structures.Circulant())
HARD = [  # whose radius is missed by an estimate from the vector of ones, or from few products
    CIRCULANT_PAIRS,
    structures.ComplexPairs(structure=structures.ToeplitzBlocks(block=5)),
    structures.Grid(torus=True),
    structures.Jordan(block=130),
    structures.Scaled(structure=structures.Circulant()),
    structures.Sum(a=structures.Shift(), b=structures.Diagonal()),
]


@pytest.mark.parametrize("structure", [*own_structures(), *HARD[:3], *HARD[4:]], ids=str)
def test_formulas_for_eigenvalues(x64, structure):
    """By the characteristic polynomial: numpy's eigenvalues of long chains are wrong by eps^(1/n)."""
    size = fitting(structure, 4, 6, 8, 9, 10)
    u = draw(structure, size)
    values = structure.eigenvalues(structure.materialize(u), size)
    if values is None:
        assert structure.connectivity == "cyclic"
        return
    assert values.shape == (size,)
    expected = np.poly(np.asarray(structure.matrix(u, size)))
    np.testing.assert_allclose(np.poly(np.asarray(values)), expected, atol=1e-9 * np.abs(expected).max())


def test_formulas_are_used_for_many_units():
    """Growth under products tells little of long chains, whose vectors grow for a while whatever the eigenvalues."""
    for structure in (structures.ToeplitzBlocks(block=65), structures.Circulant()):
        pairs = structures.ComplexPairs(structure=structure)
        u = with_unit_radius(pairs, draw(pairs, 260), 260)
        re, im = np.asarray(u["re"], float), np.asarray(u["im"], float)
        values = np.fft.fft(re + 1j * im) if re.ndim == 1 else re[:, 0] + 1j * im[:, 0]
        other = np.fft.fft(re - 1j * im) if re.ndim == 1 else values.conj()
        assert np.abs([values, other]).max() == pytest.approx(1, rel=1e-5)


def check_radius_of_many_units(structure: Structure) -> None:
    """At the least size whose eigenvalues are not computed, and that fits."""
    size = fitting(structure, 260, 264, 256)
    if structure.connectivity == "cyclic" and type(structure) is not structures.Masked:  # starts as without its mask
        u = structure.init(jax.random.key(5), size)
        assert radius(np.asarray(structure.matrix(u, size))) == pytest.approx(1, rel=0.1)
    initializer = initializers.SpectralRadius(radius=0.7)
    if size > EXACT and initializer.refuses(structure, size) is None:
        u = initializer.matrix(jax.random.key(6), structure, size)
        is_exact = structure.eigenvalues(structure.materialize(u), size) is not None
        matrix = np.asarray(structure.matrix(u, size))
        is_chain = isinstance(structure, structures.ComplexPairs) and structure != CIRCULANT_PAIRS  # numpy is not exact
        assert radius(matrix) == pytest.approx(0.7, rel=1e-4 if is_exact and not is_chain else 0.03)


@pytest.mark.slow
def test_the_spectral_radius_of_many_units():
    for structure in (structures.Circulant(), CIRCULANT_PAIRS, structures.Banded(), structures.Ring()):
        check_radius_of_many_units(structure)


@pytest.mark.slow
@pytest.mark.parametrize("structure", [*own_structures(), *HARD], ids=str)
def test_the_spectral_radius_of_many_units_in_every_structure(structure):
    check_radius_of_many_units(structure)


@every_structure
def test_the_identity_is_exact_or_refused(structure):
    size = size_of(structure)
    for scale in (1.0, 0.25):
        initializer = initializers.IdentityLike(scale=scale)
        if accepted(initializer, structure):
            np.testing.assert_allclose(drawn(initializer, structure, size), scale * np.eye(size), atol=1e-6)


@every_structure
def test_orthogonal_is_orthogonal(structure):
    initializer = initializers.Orthogonal(gain=0.5)
    if accepted(initializer, structure):
        matrix = drawn(initializer, structure, size := size_of(structure))
        np.testing.assert_allclose(matrix @ matrix.T, 0.25 * np.eye(size), atol=1e-5)


@pytest.mark.parametrize("initializer", EVERY, ids=str)
def test_examples_are_drawn(initializer):
    for name in initializer.examples:
        assert accepted(initializer, getattr(structures, name)())


def test_what_does_not_fit_is_refused_at_any_size():
    for initializer, structure in [
        (initializers.Orthogonal(), structures.Banded()), (initializers.S4D(), structures.Diagonal()),
        (initializers.LongMemory(), structures.LowRank(rank=9)), (initializers.IdentityLike(), structures.Cycle()),
    ]:  # fmt: skip
        for size in (10, 18, 400):
            assert initializer.refuses(structure, size) is not None
    assert initializers.LongMemory().refuses(structures.LowRank(rank=9), 9) is None


@every_structure
def test_long_memory_and_the_range_of_indrnn(structure):
    size = size_of(structure)
    for initializer, low, high in [
        (initializers.LongMemory(horizon=50), 0, 1 - 1 / 50),
        (initializers.IndRNNUniform(horizon=10, least=0.5), 0.5**0.1, 2**0.1),
    ]:
        if accepted(initializer, structure):
            matrix = drawn(initializer, structure, size)
            diagonal = np.diag(matrix)
            np.testing.assert_allclose(matrix, np.diag(diagonal), atol=1e-5)
            assert diagonal.min() >= low - 1e-5 and diagonal.max() <= high + 1e-5 and np.ptp(diagonal) > 0


def test_time_constants_are_uniform():
    u = initializers.LongMemory(horizon=101).matrix(jax.random.key(0), structures.Diagonal(), 4000)
    tau = 1 / (1 - np.asarray(u, float))
    assert np.quantile(tau, [0.25, 0.5, 0.75]) == pytest.approx([26, 51, 76], abs=3)


@pytest.mark.parametrize("frequencies", ["lin", "inv"])
def test_s4d_has_the_papers_eigenvalues(x64, frequencies):
    initializer = initializers.S4D(frequencies=frequencies, pairs=3, step_min=0.05, step_max=0.05)
    n = np.arange(3)
    f = np.pi * n if frequencies == "lin" else 6 / np.pi * (6 / (2 * n + 1) - 1)
    expected = np.tile(np.exp(0.05 * (-0.5 + 1j * f)), 2)
    u: Any = initializer.matrix(jax.random.key(0), structures.ComplexDiagonal(), 12)
    np.testing.assert_allclose(u["re"] + 1j * u["im"], expected, atol=1e-7)
    for seed in range(3):
        u = initializers.S4D(frequencies=frequencies).matrix(jax.random.key(seed), structures.ComplexDiagonal(), 70)
        assert (np.hypot(u["re"], u["im"]) < 1).all()
    dense = drawn(initializer, structures.Dense(), 12)
    assert sorted(np.abs(np.linalg.eigvals(dense))) == pytest.approx(sorted(np.abs(np.tile(expected, 2))), abs=1e-6)


def test_a_reservoir_is_the_same_for_every_key_and_as_dense_as_asked():
    initializer = initializers.Reservoir(seed=3, density=0.2)
    one, two = (drawn(initializer, structures.Dense(), 60, seed) for seed in (0, 1))
    np.testing.assert_array_equal(one, two)
    assert (one != 0).mean() == pytest.approx(0.2, abs=0.03)
    assert (drawn(dataclasses.replace(initializer, seed=4), structures.Dense(), 60) != one).any()
    with pytest.raises(rnnzoo.UsageError, match="no cycle; accepted: a larger density"):
        drawn(initializers.Reservoir(density=0.001), structures.Dense(), 3)


def test_kernels():
    key = jax.random.key(0)
    wide = initializers.Orthogonal().kernel(key, (3, 7))
    np.testing.assert_allclose(wide @ wide.T, np.eye(3), atol=1e-5)
    np.testing.assert_array_equal(initializers.IdentityLike(scale=2.0).kernel(key, (2, 3)), 2 * jnp.eye(2, 3))
    assert radius(np.asarray(initializers.SpectralRadius(radius=0.3).kernel(key, (5, 5)))) == pytest.approx(
        0.3, rel=1e-4
    )
    assert np.abs(initializers.Reservoir().kernel(key, (4, 4))).max() <= 1
    for initializer, shape, message in [
        (initializers.SpectralRadius(), (3, 4), "draws square matrices"),
        (initializers.LongMemory(), (4, 4), "recurrent matrices only"),
        (initializers.S4D(), (4, 4), "recurrent matrices only"),
    ]:
        with pytest.raises(rnnzoo.UsageError, match=message):
            initializer.kernel(key, shape)


def test_fields_are_checked():
    for make, message in [
        (lambda: initializers.S4D(step_min=1.0), "step_max"),
        (lambda: initializers.LongMemory(horizon=0.5), "horizon"),
        (lambda: initializers.Reservoir(density=0.0), "density"),
        (lambda: initializers.SpectralRadius(radius=0.0), "radius"),
    ]:
        with pytest.raises(rnnzoo.UsageError, match=message):
            make()


def test_a_cell_is_drawn_with_it():
    cell = cells.Elman(hidden_size=6, activation="relu", recurrent_init=initializers.IdentityLike())
    assert rnnzoo.from_json(rnnzoo.to_json(cell)) == cell
    np.testing.assert_array_equal(jax.jit(lambda: cell.init(jax.random.key(0), 2))()["u"]["h"], np.eye(6))
    wrong = cells.LSTM(hidden_size=6, structure=structures.Diagonal(), recurrent_init=initializers.S4D())
    with pytest.raises(rnnzoo.UsageError, match=r"S4D\(.* cannot draw Diagonal\(\) .*accepted: .*ComplexDiagonal"):
        wrong.init(jax.random.key(0), 2)
