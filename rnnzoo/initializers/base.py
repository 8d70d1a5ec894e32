"""The contract of initializers, and what they share."""

import abc
import dataclasses
import functools
import typing
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Spec, UsageError, accepts, field_types, spec
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.structures.nearest import nearest_member
from rnnzoo.typing import Array, Key, PyTree


@spec
class Initializer(Spec, abc.ABC, kind="initializers"):
    """How initial weights are drawn."""

    examples: ClassVar[tuple[str, ...]] = ("Dense",)  # names of structures that it can draw, for error messages

    def refuses(self, structure: Structure, size: int) -> str | None:
        """Why this initializer cannot draw a matrix of this structure; None if it can."""
        return None

    def require(self, structure: Structure, size: int) -> None:
        """Raise `UsageError` if this structure is refused, with the reason and some structures that are accepted."""
        if reason := self.refuses(structure, size):
            fits = ", ".join(self.examples)
            raise UsageError(f"{self} cannot draw {structure} of hidden_size {size}: {reason}; accepted: {fits}, ...")

    @abc.abstractmethod
    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        """A matrix of (outputs, inputs), or any other array whose last axis is summed over."""

    def matrix(self, key: Key, structure: Structure, size: int) -> PyTree:
        """The parameters u of an (H, H) matrix of this structure. By default `kernel` draws every array of u."""
        shapes = structure.shapes(size)
        leaves, tree = jax.tree.flatten(shapes)
        keys = jax.random.split(key, len(leaves))
        return tree.unflatten([self.kernel(k, s.shape) for k, s in zip(keys, leaves, strict=True)])


@spec
class _Zeros(Initializer):
    """Zeros in place of what would be drawn, where only the shapes are wanted."""

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        return jnp.zeros(shape)

    def matrix(self, key: Key, structure: Structure, size: int) -> PyTree:
        return jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), structure.shapes(size))


def undrawn(value: Any) -> Any:
    """A specification with zeros for all that its initializers would draw, at any depth. Its parameters have the same
    shapes, and tracing their initialization computes nothing, whatever their size."""
    if isinstance(value, tuple):
        return tuple(map(undrawn, value))
    if not isinstance(value, Spec):
        return value
    hints = field_types(type(value))
    parts = {
        name: _Zeros() if accepts(hint, _Zeros()) else undrawn(getattr(value, name)) for name, hint in hints.items()
    }
    changed = {name: part for name, part in parts.items() if part is not getattr(value, name)}
    return dataclasses.replace(typing.cast(Any, value), **changed) if changed else value


def probe_size(structure: Structure, size: int) -> int:
    """A small even size for testing what the structure can represent, large enough that it cannot represent everything.
    `size` itself if it is not larger, or if no smaller one fits."""
    fitting = (n for n in range(2, size, 2) if _fits(structure, n))
    return next((n for n in fitting if n >= max(8, 2 * next((m for m in range(1, n) if _fits(structure, m)), n))), size)


def _fits(structure: Structure, size: int) -> bool:
    try:
        structure.check(size)
    except UsageError:
        return False
    return True


@spec
class DiagonalInitializer(Initializer, abc.ABC):
    """Draws the diagonal of U; all other entries start at 0. They can still learn if the structure is linear in u."""

    examples = ("Diagonal", "Banded", "Triangular", "Dense")

    @abc.abstractmethod
    def diagonal(self, key: Key, size: int) -> Array:
        """The diagonal (H,)."""

    def refuses(self, structure: Structure, size: int) -> str | None:
        diagonal = _random_diagonal(probe_size(structure, size))
        return None if holds_matrix(structure, diagonal) else "it does not contain all diagonal matrices"

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        raise kernel_error(self)

    def matrix(self, key: Key, structure: Structure, size: int) -> PyTree:
        self.require(structure, size)
        diagonal = self.diagonal(key, size)
        if isinstance(structure, Algebra):  # without a dense matrix
            return structure.from_probes(diagonal * structure.probes(size))
        return nearest_member(structure, jnp.diag(diagonal))


def _random_diagonal(size: int) -> np.ndarray:
    return np.diag(np.random.default_rng(0).uniform(0.2, 0.9, size))


def holds_matrix(structure: Structure, dense: np.ndarray) -> bool:
    """Whether this matrix is a member of the structure, up to rounding."""
    return _holds_matrix(structure, np.float32(dense).tobytes(), len(dense))


@functools.lru_cache(maxsize=1024)
def _holds_matrix(structure: Structure, entries: bytes, size: int) -> bool:
    dense = np.frombuffer(entries, np.float32).reshape(size, size)
    nearest = jax.jit(
        lambda dense: structure.matrix(nearest_member(structure, dense), size),
        compiler_options={"xla_backend_optimization_level": 0},  # it runs once
    )
    with jax.ensure_compile_time_eval():
        gap = np.asarray(nearest(dense)) - dense
    return float(np.linalg.norm(gap)) <= 1e-5 * (float(np.linalg.norm(dense)) or 1.0)


def kernel_error(initializer: Initializer) -> UsageError:
    """The error of an initializer that has no `kernel`: it draws no input or output weights."""
    return UsageError(
        f"{initializer} draws recurrent matrices only (cell.recurrent_init); accepted for other weights: Orthogonal, "
        "Reservoir, Uniform, or None"
    )


__all__ = ["DiagonalInitializer", "Initializer", "holds_matrix", "kernel_error", "probe_size", "undrawn"]
