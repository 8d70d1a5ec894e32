"""A chosen spectral radius of U: how much its powers grow or decay per step in the long run."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.initializers.base import Initializer, probe_size
from rnnzoo.spec import Positive, UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.nearest import dependence
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Key, PyTree

EXACT = 256  # the largest hidden_size whose eigenvalues are computed


@spec
class SpectralRadius(Initializer):
    """The structure's own draw, scaled so that the largest eigenvalue of U has modulus `radius`. Only for structures
    that are linear in u and not nilpotent.

    Up to hidden_size 256 the eigenvalues are computed. Beyond that the radius is still exact for structures that have a
    formula for them (`Structure.eigenvalues`), such as triangles, circulants, and complex pairs of these; otherwise it
    is estimated from how fast random vectors grow under repeated products with U (Gelfand's formula), good to a few
    percent."""

    examples = ("Banded", "Ring", "SparseMask", "Dense")

    radius: Positive = 1.0
    """Modulus of the largest eigenvalue of U."""

    def refuses(self, structure: Structure, size: int) -> str | None:
        return refuses_scaling(structure, size)

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        if len(shape) != 2 or shape[0] != shape[1]:
            raise UsageError(f"{self} draws square matrices, not {shape}; accepted: Orthogonal, Uniform, or None")
        drawn = jax.random.normal(key, shape)
        return drawn * (self.radius / _radius_of(drawn))

    def matrix(self, key: Key, structure: Structure, size: int) -> PyTree:
        self.require(structure, size)
        u = structure.init(key, size)
        if size > EXACT:
            return jax.tree.map(lambda a: a * self.radius, with_unit_radius(structure, u, size))
        scale = self.radius / _radius_of(structure.matrix(u, size))
        return jax.tree.map(lambda a: a * scale, u)


def _radius_of(matrix: Array) -> Array:
    """The spectral radius, on the host: not every device has eigenvalues."""

    def compute(m: np.ndarray) -> np.ndarray:
        return np.abs(np.linalg.eigvals(np.asarray(m, np.float64))).max(-1).astype(m.dtype)

    result = jax.ShapeDtypeStruct((), matrix.dtype)
    return jax.pure_callback(compute, result, matrix, vmap_method="expand_dims")


@functools.lru_cache(maxsize=256)
def refuses_scaling(structure: Structure, size: int) -> str | None:
    """Why the spectral radius of U cannot be set by scaling u; None if it can."""
    shapes = structure.shapes(size)
    if structure.connectivity == "none":
        return "all its eigenvalues are 0"
    if not jax.tree.leaves(shapes):
        return "it has no parameters"
    if dependence(structure, probe_size(structure, size)) == "nonlinear":
        return "its U is not linear in its parameters"
    with jax.ensure_compile_time_eval():
        nothing = structure.matrix(jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), shapes), size)
        return "its U does not scale with its parameters" if np.asarray(nothing).any() else None
