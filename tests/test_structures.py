"""Every structure keeps the promises of `rnnzoo.base.Structure`, whoever wrote it and whenever."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.flatten_util import ravel_pytree
from structure_support import SIZES, check_identities, draw, few_sizes, fits, fitting, lifted, product
from support import assert_close
from unroll_support import eager
from zoo import own_structures

import rnnzoo
from rnnzoo import structures
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.masked_dense import with_pattern
from rnnzoo.typing import cast

REDUNDANT = {  # more parameters than dimensions of the family
    structures.Butterfly,
    structures.ComplexOnePerColumn,
    structures.DiagonalLowRank,
    structures.HadamardDiagonal,
    structures.Householder,
    structures.Kronecker,
    structures.LowRank,
    structures.Monarch,
    structures.OnePerColumn,
}

every = pytest.mark.parametrize("structure", own_structures(1, 3), ids=str)
every_default = pytest.mark.parametrize("structure", own_structures(), ids=str)


# ---- identities ------------------------------------------------------------------------------------------


@every
@settings(max_examples=10)
@given(data=st.data())
def test_identities(structure, data):
    size = data.draw(st.sampled_from(few_sizes(structure)), label="size")
    seed = data.draw(st.integers(0, 2**16), label="seed")
    with jax.enable_x64(True):
        check_identities(structure, size, seed)


@every_default
def test_identities_at_a_larger_size(x64, structure):
    check_identities(structure, fitting(structure, 96, 64), 0)


@pytest.mark.parametrize("structure", [s for s in own_structures(1, 3) if isinstance(s, Algebra)], ids=str)
def test_identity_is_the_identity_or_refused(x64, structure):
    size = fitting(structure, 8, 9)
    ranks = [np.linalg.matrix_rank(structure.matrix(draw(structure, size, seed), size)) for seed in range(3)]
    try:
        u = structure.identity(size)
    except rnnzoo.UsageError as error:
        assert "accepted: " in str(error) and max(ranks) < size
    else:
        assert_close(structure.matrix(u, size), np.eye(size))


@pytest.mark.parametrize("structure", [s for s in own_structures(1, 3) if isinstance(s, Algebra)], ids=str)
def test_sums_of_parameters_are_those_of_sums_or_said_not_to_be(x64, structure):
    size = fitting(structure, 8, 9)
    u, v = draw(structure, size), draw(structure, size, 1)
    total, a, b = (structure.matrix(w, size) for w in (jax.tree.map(jnp.add, u, v), u, v))
    assert np.allclose(total, a + b) == structure.additive


def test_low_rank_of_full_rank_has_an_identity(x64):
    structure = structures.LowRank(rank=3)
    assert_close(structure.matrix(structure.identity(3), 3), np.eye(3))


# ---- facts -----------------------------------------------------------------------------------------------


def graph(edges: np.ndarray) -> str:
    """The connectivity of a matrix of bools, edges[i, j] for j -> i."""
    reach = others = edges & ~np.eye(len(edges), dtype=bool)
    for _ in range(len(edges).bit_length()):
        reach = reach | (reach.astype(int) @ reach > 0)
    if reach.diagonal().any():
        return "cyclic"
    if edges.diagonal().any():
        return "cascade" if others.any() else "self"
    return "none"


def test_graph_by_hand():
    assert graph(np.eye(3, k=1, dtype=bool)) == "none"
    assert graph(np.eye(3, dtype=bool)) == "self"
    assert graph(np.eye(3, dtype=bool) | np.eye(3, k=1, dtype=bool)) == "cascade"
    assert graph(np.roll(np.eye(5, dtype=bool), 1, axis=0)) == "cyclic"


@every
def test_counts_and_connectivity(x64, structure):
    size = fitting(structure, 8, 9)
    u = draw(structure, size)
    flat, unravel = ravel_pytree(u)
    matrix = jax.jit(lambda flat: structure.matrix(unravel(flat), size))
    jacobian = np.asarray(jax.jacfwd(matrix)(flat)).reshape(size**2, -1)
    others = jax.lax.map(matrix, jax.random.normal(jax.random.key(1), (100, flat.size)), batch_size=10)
    pattern = np.asarray((matrix(flat) != 0) | (matrix(-2 * flat + 1) != 0) | (others != 0).any(0))
    assert structure.nonzeros(size) == pattern.sum()
    assert structure.connectivity == graph(pattern)
    assert structure.num_params(size) == jacobian.any(axis=0).sum()
    assert (np.linalg.matrix_rank(jacobian) < structure.num_params(size)) == (type(structure) in REDUNDANT)
    assert (structure.flops_per_step(size) > 0) == (structure.num_params(size) > 0)


@every
def test_refusals_name_what_is_refused(structure):
    for size in set(SIZES) - {size for size in SIZES if fits(structure, size)}:
        with pytest.raises(
            rnnzoo.UsageError, match=re.escape(f" does not fit hidden_size {size}; accepted: ")
        ) as error:
            structure.check(size)
        assert str(error.value).split(" does not fit")[0] in str(structure)  # itself, or the part that does not fit


@every
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64], ids=["32", "64"])
def test_shapes_and_dtypes(structure, dtype):
    with jax.enable_x64(dtype == jnp.float64):
        for size in few_sizes(structure):
            u = jax.eval_shape(lambda size=size: structure.init(jax.random.key(0), size))
            assert all(leaf.dtype == dtype for leaf in jax.tree.leaves(u))
            for low in (dtype, jnp.bfloat16):
                h = jax.ShapeDtypeStruct((size,), low)
                y = jax.eval_shape(lambda u, h, low=low: product(structure, cast(u, low), h), u, h)
                assert (y.shape, y.dtype) == ((size,), low)
            as_closure = jax.eval_shape(lambda u, size=size: lifted(structure, u, size), u)
            assert as_closure == jax.eval_shape(lambda size=size: structure.closure.init(jax.random.key(0), size))


@every_default
def test_training_starts_at_a_spectral_radius_of_about_1(x64, structure):
    size = fitting(structure, 48, 64)
    for seed in range(3):
        u = structure.init(jax.random.key(seed), size)
        radius = np.abs(np.linalg.eigvals(structure.matrix(u, size))).max()
        if structure.connectivity == "none":
            assert radius == 0
        elif type(structure) is not structures.Masked:  # which starts as without its mask
            assert 0.9 <= radius <= 1.1


@every_default
@eager
def test_parameters_of_zeros_are_as_good_as_others(structure):
    """Dropout of U can leave them."""
    size = fitting(structure, 4, 8, 9)
    u = jax.tree.map(jnp.zeros_like, draw(structure, size))
    y, pull = jax.vjp(lambda u: product(structure, u, jnp.arange(1.0, size + 1)), u)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((y, pull(y))))


def test_a_householder_vector_of_zeros_reflects_nothing(x64):
    structure, size = structures.Householder(count=3), 5
    u = draw(structure, size).at[1].set(0)
    others = structures.Householder(count=2).matrix(u[jnp.array([0, 2])], size)
    assert_close(structure.matrix(u, size), others, 1e-14)
    gradient = jax.jacobian(lambda u: structure.matrix(u, size))(u)
    assert jnp.isfinite(gradient).all() and gradient[:, :, 0].any()


@every
def test_json_round_trip(structure):
    again = rnnzoo.from_json(rnnzoo.to_json(structure))
    assert again == structure and hash(again) == hash(structure) and repr(again) == repr(structure)


def test_a_mask_that_is_data_cuts_out_entries_and_their_gradients():
    structure, size = structures.MaskedDense(), 5
    band = structures.Banded()
    mask = np.abs(np.subtract.outer(range(size), range(size))) <= 1
    dense = band.matrix(band.init(jax.random.key(0), size), size)
    u = with_pattern(dense, mask)
    assert_close(structure.matrix(u, size), dense)
    full = u | {"weights": jax.random.normal(jax.random.key(1), (size, size))}
    assert_close(structure.matrix(full, size), np.where(mask, full["weights"], 0))
    grads = jax.grad(lambda u: (structure.matrix(u, size) ** 3).sum())(full)
    assert not np.asarray(grads["mask"]).any()
    assert (np.asarray(grads["weights"] != 0) == mask).all()
