"""Small networks whose weights are written by hand: what a structure can do at least, exactly."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support import assert_close

from rnnzoo import cells, run, structures
from rnnzoo.structures.base import Structure


def threshold_units(structure: Structure, u: Any, thresholds: list[float], xs: Any, k: float) -> np.ndarray:
    """Outputs of steep sigmoid units that fire when the sum of the inputs and of U h is above their threshold."""
    cell = cells.Elman(hidden_size=len(thresholds), structure=structure, activation="sigmoid")
    w = jnp.full((len(thresholds), xs.shape[-1]), k)
    params = {"w": {"h": w}, "b": {"h": -k * jnp.array(thresholds)}, "u": {"h": u}}
    return np.asarray(jax.jit(run, static_argnums=0)(cell, params, jnp.asarray(xs, float))[0])


def add(bits: np.ndarray) -> np.ndarray:
    """The sums of binary numbers, bits (T, B, 2), by three units in a band: unit i fires if a + b + carry >= i, and
    the middle one is the carry."""
    k = 40.0
    hear_the_middle = k * jnp.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])
    t = threshold_units(structures.Banded(bandwidth=1), hear_the_middle, [0.5, 1.5, 2.5], bits, k)
    return t[..., 0] - t[..., 1] + t[..., 2]


def to_bits(number: int, length: int) -> list[int]:
    return [number >> t & 1 for t in range(length)]


def test_three_units_in_a_band_add_all_8_bit_numbers():
    numbers = np.array([to_bits(n, 9) for n in range(256)])
    a, b = np.repeat(numbers, 256, axis=0), np.tile(numbers, (256, 1))
    expected = np.array([to_bits(m + n, 9) for m in range(256) for n in range(256)])
    np.testing.assert_allclose(add(np.stack([a, b], -1).transpose(1, 0, 2)).T, expected, atol=1e-6)


def test_three_units_in_a_band_add_numbers_of_1000_bits():
    a, b = (int.from_bytes(np.random.default_rng(seed).bytes(125)) for seed in (0, 1))
    bits = np.array([to_bits(a, 1001), to_bits(b, 1001)]).T[:, None]
    np.testing.assert_allclose(add(bits)[:, 0], to_bits(a + b, 1001), atol=1e-6)


@pytest.mark.parametrize(
    ("structure", "u"),
    [
        (structures.BlockDiagonal(block=2), jnp.array([[[1.0, -1.0], [1.0, -1.0]]])),
        (structures.LowRank(rank=1), {"a": jnp.ones((2, 1)), "b": jnp.array([[1.0], [-1.0]])}),
    ],
    ids=["one block", "rank 1"],
)
def test_two_units_do_running_parity(structure, u):
    k = 40.0
    assert_close(structure.matrix(u, 2), np.array([[1, -1], [1, -1]], np.float32))
    scale = k ** (1 / len(jax.tree.leaves(u)))  # of each factor
    bits = np.random.default_rng(0).integers(0, 2, (1000, 4, 1))
    h = threshold_units(structure, jax.tree.map(lambda a: scale * a, u), [0.5, 1.5], bits, k)
    np.testing.assert_allclose(h[..., 0] - h[..., 1], bits[..., 0].cumsum(axis=0) % 2, atol=1e-6)
