"""The identity: a unit starts by keeping its value (Le, Jaitly & Hinton 2015, IRNN, arXiv:1504.00941)."""

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.initializers.base import Initializer, holds_matrix, probe_size
from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.nearest import nearest_member
from rnnzoo.typing import Array, Key, PyTree


@spec
class IdentityLike(Initializer):
    """U = scale I, exactly, in every structure that contains it. The paper's IRNN is an Elman cell with relu, this
    initializer and biases of 0; its scale is 1, or 0.01 for a task with short-range dependence."""

    examples = ("Diagonal", "Banded", "Triangular", "Dense")

    scale: float = 1.0
    """The number on the diagonal."""

    def refuses(self, structure: Structure, size: int) -> str | None:
        scaled = self.scale * np.eye(probe_size(structure, size))
        return None if holds_matrix(structure, scaled) else f"it does not contain {self.scale:g} I"

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        *_, rows, columns = shape
        return jnp.broadcast_to(self.scale * jnp.eye(rows, columns), shape)

    def matrix(self, key: Key, structure: Structure, size: int) -> PyTree:
        self.require(structure, size)
        with jax.ensure_compile_time_eval():
            return nearest_member(structure, self.scale * jnp.eye(size))
