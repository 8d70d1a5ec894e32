"""`Structure.jacobian`: it holds what it says, and nothing smaller would where it is not said to be larger."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from structure_support import draw, fitting
from support import assert_close
from zoo import STRUCTURE_FIELDS, own_structures

import rnnzoo
from rnnzoo import structures
from rnnzoo.structures import BlockDiagonal, Dense, Diagonal, Partitioned, Triangular
from rnnzoo.structures.spectral import pattern

every = pytest.mark.parametrize("structure", own_structures(1, 3), ids=str)
families = pytest.mark.parametrize("family", sorted({s.jacobian for s in own_structures(1, 3)}, key=str), ids=str)


def reachable(edges):
    """The reflexive and transitive closure of a graph: the least algebra with all diagonals has this pattern."""
    edges = edges | np.eye(len(edges), dtype=bool)
    for _ in range(len(edges).bit_length()):
        edges = edges.astype(int) @ edges > 0
    return edges


@every
def test_it_holds_products_of_members_and_diagonals(x64, structure):
    size = fitting(structure, 8, 9)
    family, rng = structure.jacobian, np.random.default_rng(0)
    d = rng.normal(size=(4, size, 1))
    u, v = (np.asarray(structure.matrix(draw(structure, size, seed), size)) for seed in range(2))
    expected = (d[0] * u * d[1].T + np.diag(d[2, :, 0])) @ (v + np.diag(d[3, :, 0]))
    images = family.probes(size) @ expected.T
    assert_close(family.matrix(family.from_probes(images), size), expected)


LARGER = {  # families with a smaller algebra that has no name here
    "Jordan": "triangular blocks",
    "ToeplitzBlocks": "triangular blocks",
    "Givens": "blocks of 2, of one layer",
    "Permutation": "one block to each cycle",
    "Sum": "what a particular sum of patterns generates",
    "Masked": "what a particular mask leaves",
    "SparseMask": "one block to each strongly connected part",
    "ShuffledBlocks": "one block to each cycle of the shuffle",
    "ComplexPairs": "what particular blocks of the two parts generate",
}


@every
def test_it_is_the_smallest_one(structure):
    size = fitting(structure, 8, 9)
    least, family = reachable(pattern(structure, size)), pattern(structure.jacobian, size)
    assert (family | ~least).all()
    assert (family == least).all() or type(structure).__name__ in LARGER


def test_families_by_name():
    assert structures.Identity().jacobian == structures.Scalar().jacobian == Diagonal()
    assert structures.Bidiagonal().jacobian == structures.Shift().jacobian == Triangular()
    assert structures.Jordan(block=3).jacobian == BlockDiagonal(block=3)
    assert structures.SkewBlocks().jacobian == structures.ComplexDiagonal().jacobian == Partitioned(parts=2)
    assert structures.Banded().jacobian == structures.LowRank().jacobian == Dense()
    assert structures.Sum(a=Diagonal(), b=structures.Shift()).jacobian == Triangular()
    assert structures.Masked(structure=BlockDiagonal(block=2)).jacobian == BlockDiagonal(block=2)
    assert len({type(s.jacobian) for s in STRUCTURE_FIELDS}) > 2


@families
def test_a_family_is_linear_in_its_parameters_and_its_own_family(x64, family):
    size = fitting(family, 8, 9)
    u, v = (draw(family, size, seed) for seed in range(2))
    expected = 2 * family.matrix(u, size) + family.matrix(v, size)
    assert_close(family.matrix(jax.tree.map(lambda a, b: 2 * a + b, u, v), size), expected)
    prepared = jax.tree.map(lambda a, b: 2 * a + b, family.materialize(u), family.materialize(v))
    assert_close(jax.vmap(family.matvec, (None, 0), 1)(prepared, jnp.eye(size)), expected)
    assert family.jacobian == family


@families
def test_probes_ask_every_unit_once_and_never_two_that_one_hears(family):
    """So that the diagonal can be read off the images (`rnnzoo.unrolls.linearized`)."""
    size = fitting(family, 8, 9)
    probes = np.asarray(family.probes(size)).astype(int)
    assert (probes.sum(0) == 1).all()
    assert (probes @ pattern(family, size).T.astype(int)).max() == 1


def test_what_no_table_can_have():
    for entry in (structures.Scalar(), structures.LowRank(), structures.StrictlyTriangular()):
        with pytest.raises(rnnzoo.UsageError, match=r"Partitioned\.entry is .*; accepted: an algebra that holds all"):
            Partitioned(entry=entry)


def test_a_table_is_the_matrix_in_its_docstring(x64):
    structure = Partitioned(parts=2, entry=BlockDiagonal(block=3))
    u = draw(structure, 12)
    parts = [[BlockDiagonal(block=3).matrix(u[i][j], 6) for j in range(2)] for i in range(2)]
    assert_close(structure.matrix(u, 12), np.block(parts))
