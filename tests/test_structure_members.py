"""The single structures: what their docstrings say about indices, and what they refuse."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from structure_support import draw
from support import assert_close
from zoo import own_structures

import rnnzoo
from rnnzoo import cells, run, structures
from rnnzoo.spec import Size, field_types
from rnnzoo.structures import patterns


def triangle(u: Any, i: int, j: int, size: int) -> Any:
    n = i * size + j
    return u[n if n < len(u) else size * (size + 1) - 1 - n] if i <= j else 0


def complex_pair(u: Any, i: int, j: int, half: int) -> Any:
    if (i - j) % half:
        return 0
    return u["re"][i % half] if i == j else u["im"][i % half] * (-1 if i < j else 1)


DEFINITIONS = {  # U_ij as the docstrings define it
    structures.Dense(): lambda u, i, j: u[i, j],
    structures.Diagonal(): lambda u, i, j: u[i] * (i == j),
    structures.ComplexDiagonal(): lambda u, i, j: complex_pair(u, i, j, 3),
    structures.Banded(bandwidth=2): lambda u, i, j: u[j - i + 2, i] if abs(i - j) <= 2 else 0,
    structures.Ring(bandwidth=2): lambda u, i, j: u[(j - i + 2) % 6, i] if (j - i + 2) % 6 < 5 else 0,
    structures.Bidiagonal(): lambda u, i, j: u["diagonal"][i] if i == j else u["super"][i] if j == i + 1 else 0,
    structures.BlockDiagonal(block=3): lambda u, i, j: u[i // 3, i % 3, j % 3] * (i // 3 == j // 3),
    structures.Triangular(): lambda u, i, j: triangle(u, i, j, 6),
    structures.LowRank(rank=2): lambda u, i, j: u["a"][i] @ u["b"][j],
    structures.DiagonalLowRank(rank=2): lambda u, i, j: u["d"][i] * (i == j) + u["a"][i] @ u["b"][j],
    structures.Scalar(): lambda u, i, j: u * (i == j),
    structures.Identity(): lambda u, i, j: i == j,
    structures.Cycle(): lambda u, i, j: u[i] * (j == (i + 1) % 6),
    structures.Shift(): lambda u, i, j: u[i] if j == i + 1 else 0,
    structures.Jordan(block=3): lambda u, i, j: (
        u["eigenvalue"][i // 3] if i == j else u["super"][i // 3] if j == i + 1 and j % 3 else 0
    ),
    structures.ToeplitzBlocks(block=3): lambda u, i, j: u[i // 3, j - i] if i // 3 == j // 3 and i <= j else 0,
    structures.ShuffledBlocks(block=3): lambda u, i, j: u[i % 2, i // 2, j % 3] * (i % 2 == j // 3),
    structures.Hollow(): lambda u, i, j: u[i, j - (j > i)] if i != j else 0,
    structures.StrictlyTriangular(): lambda u, i, j: triangle(u, i, j - 1, 5) if i < j else 0,
    structures.Symmetric(): lambda u, i, j: triangle(u, min(i, j), max(i, j), 6),
    structures.Convolution(channels=2): lambda u, i, j: (
        u[i % 2, j // 2 - i // 2 + 1, j % 2] if abs(i // 2 - j // 2) < 2 else 0
    ),
    structures.Convolution(shape=(2, 3), kernel=2): lambda u, i, j: (
        u[0, j // 3 - i // 3, j % 3 - i % 3, 0] if j // 3 - i // 3 in (0, 1) and j % 3 - i % 3 in (0, 1) else 0
    ),
    structures.Grid(rows=2): lambda u, i, j: (
        u[[(0, 0), (-1, 0), (0, -1), (0, 1), (1, 0)].index(d), i]
        if (d := (j // 3 - i // 3, j % 3 - i % 3)) in [(0, 0), (-1, 0), (0, -1), (0, 1), (1, 0)]
        else 0
    ),
}


@pytest.mark.parametrize("structure", DEFINITIONS, ids=str)
def test_the_matrix_is_the_one_in_the_docstring(x64, structure):
    u = draw(structure, 6)
    values = jax.tree.map(np.asarray, u)
    expected = [[DEFINITIONS[structure](values, i, j) for j in range(6)] for i in range(6)]
    assert_close(structure.matrix(u, 6), np.array(expected, float))


def test_the_corners_of_a_band_stay_out_of_it():
    structure = structures.Banded(bandwidth=2)
    corners = np.array([[1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 1, 1]], bool)
    u = structure.init(jax.random.key(0), 5)
    np.testing.assert_array_equal(u == 0, corners)
    h = jnp.arange(1.0, 6)
    np.testing.assert_array_equal(structure.matvec(jnp.where(corners, 7, u), h), structure.matvec(u, h))

    cell = cells.Elman(hidden_size=5, structure=structure)
    params = cell.init(jax.random.key(0), 2)
    gradient = jax.jit(jax.grad(lambda params: run(cell, params, jnp.ones((4, 3, 2)))[0].sum()))(params)["u"]["h"]
    np.testing.assert_array_equal(gradient == 0, corners)


REFUSALS = [
    (structures.Banded(bandwidth=9), 8, "bandwidth from 1 to 7"),
    (structures.Banded(bandwidth=8), 8, "bandwidth from 1 to 7"),
    (structures.Banded(), 1, "hidden_size of 2 or more"),
    (structures.Ring(bandwidth=4), 8, "bandwidth from 1 to 3"),
    (structures.Ring(), 2, "hidden_size of 3 or more"),
    (structures.BlockDiagonal(), 6, "block of 1, 2, 3 or 6"),
    (structures.BlockDiagonal(), 1, "block of 1"),
    (structures.ComplexDiagonal(), 7, "an even number, such as 6 or 8"),
    (structures.ComplexDiagonal(), 1, "an even number, such as 2"),
    (structures.LowRank(rank=9), 8, "rank from 1 to 8"),
    (structures.DiagonalLowRank(rank=9), 8, "rank from 1 to 8"),
    (structures.Householder(count=9), 8, "count from 1 to 8"),
    (structures.Butterfly(), 12, "a power of two, such as 8 or 16"),
    (structures.Kronecker(factors=(2, 3)), 8, "hidden_size of 6, or factors with the product 8"),
    (structures.Kronecker(), 7, "hidden_size that is a product, such as 4, 6 or 64"),
    (structures.Monarch(blocks=3), 8, "blocks of 1, 2, 4 or 8"),
    (structures.Convolution(channels=3), 8, "a multiple of 3 channels"),
    (structures.Convolution(shape=(2, 3)), 8, "a multiple of 6 places"),
    (structures.Convolution(shape=(2, 2), channels=3), 8, "12"),
    (structures.Grid(rows=3), 8, "rows of 1, 2, 4 or 8"),
    (structures.Grid(torus=True), 8, "R C with 3 or more of each, such as 9, 12 or 64"),
    (structures.Grid(rows=2, torus=True), 12, "rows of 3 or 4"),
    (structures.ComplexPairs(), 7, "an even number, such as 6 or 8"),
    (structures.SparseMask(pattern=patterns.NeuralCircuit(motor=9)), 8, "motor from 1 to 5"),
    (structures.SparseMask(), 2, "others from 1 to 1"),
    (structures.Cycle(), 1, "hidden_size of 2 or more"),
]
BARELY = [
    (structures.Banded(bandwidth=7), 8),
    (structures.Ring(bandwidth=3), 7),
    (structures.BlockDiagonal(block=6), 6),
    (structures.ComplexDiagonal(), 2),
    (structures.LowRank(rank=8), 8),
    (structures.DiagonalLowRank(rank=8), 8),
    (structures.Triangular(), 1),
    (structures.Bidiagonal(), 1),
]


@pytest.mark.parametrize(("structure", "size", "accepted"), REFUSALS, ids=str)
def test_refusals_say_what_fits(structure, size, accepted):
    with pytest.raises(rnnzoo.UsageError) as error:
        cells.LSTM(hidden_size=size, structure=structure)
    assert str(error.value) == f"{structure} does not fit hidden_size {size}; accepted: {accepted}"


def test_pairs_of_what_cannot_be_added_are_refused():
    with pytest.raises(rnnzoo.UsageError, match=r"accepted: a structure that is linear in its parameters"):
        structures.ComplexPairs(structure=structures.LowRank()).check(8)


@pytest.mark.parametrize(("structure", "size"), BARELY, ids=str)
def test_what_barely_fits_is_accepted(structure, size):
    cells.LSTM(hidden_size=size, structure=structure)


@pytest.mark.parametrize("structure", [s for s in own_structures(1) if s not in own_structures()], ids=str)
def test_a_size_of_0_is_refused(structure):
    for field, hint in field_types(type(structure)).items():
        if hint == Size:
            with pytest.raises(rnnzoo.UsageError, match="is 0; accepted: an integer >= 1"):
                dataclasses.replace(structure, **{field: 0})
