"""The contract of initializers, and what they share."""

import abc
import functools
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Spec, UsageError, spec
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.structures.nearest import nearest_member
from rnnzoo.typing import Array, Key, PyTree


@spec
class Initializer(Spec, abc.ABC, kind="initializers"):
    """How weights are drawn at first."""

    examples: ClassVar[tuple[str, ...]] = ("Dense",)  # names of structures that it draws, for its refusals

    def refuses(self, structure: Structure, size: int) -> str | None:
        """Why a matrix of this structure cannot be drawn so; None if it can."""
        return None

    def require(self, structure: Structure, size: int) -> None:
        """Raise `UsageError` with the reason, and the structures that would fit, if this one is refused."""
        if reason := self.refuses(structure, size):
            fits = ", ".join(self.examples)
            raise UsageError(f"{self} cannot draw {structure} of hidden_size {size}: {reason}; accepted: {fits}, ...")

    @abc.abstractmethod
    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        """A matrix of (outputs, inputs), or any other array whose last axis is summed over."""

    def matrix(self, key: Key, structure: Structure, size: int) -> PyTree:
        """The parameters of a structured (H, H) matrix: by default every array of it by `kernel`."""
        shapes = jax.eval_shape(lambda: structure.init(jax.random.key(0), size))
        leaves, tree = jax.tree.flatten(shapes)
        keys = jax.random.split(key, len(leaves))
        return tree.unflatten([self.kernel(k, s.shape) for k, s in zip(keys, leaves, strict=True)])


def judged(structure: Structure, size: int) -> int:
    """A size at which to find out what a structure can hold: even and small, but not so small that it holds all."""
    fitting = (n for n in range(2, size, 2) if _fits(structure, n))
    return next((n for n in fitting if n >= max(8, 2 * next((m for m in range(1, n) if _fits(structure, m)), n))), size)


def _fits(structure: Structure, size: int) -> bool:
    try:
        structure.check(size)
    except UsageError:
        return False
    return True


@spec
class Diagonals(Initializer, abc.ABC):
    """Draws the diagonal of U; all else is 0, and free to grow wherever the structure is linear in u."""

    examples = ("Diagonal", "Banded", "Triangular", "Dense")

    @abc.abstractmethod
    def diagonal(self, key: Key, size: int) -> Array:
        """The diagonal (H,)."""

    def refuses(self, structure: Structure, size: int) -> str | None:
        some = _some_diagonal(judged(structure, size))
        return None if contains(structure, some) else "it does not contain all diagonal matrices"

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        raise only_recurrent(self)

    def matrix(self, key: Key, structure: Structure, size: int) -> PyTree:
        self.require(structure, size)
        diagonal = self.diagonal(key, size)
        if isinstance(structure, Algebra):  # without a dense matrix
            return structure.from_probes(diagonal * structure.probes(size))
        return nearest_member(structure, jnp.diag(diagonal))


def _some_diagonal(size: int) -> np.ndarray:
    return np.diag(np.random.default_rng(0).uniform(0.2, 0.9, size))


def contains(structure: Structure, dense: np.ndarray) -> bool:
    """Whether a structure holds this very matrix, up to rounding."""
    return _contains(structure, np.float32(dense).tobytes(), len(dense))


@functools.lru_cache(maxsize=1024)
def _contains(structure: Structure, entries: bytes, size: int) -> bool:
    dense = np.frombuffer(entries, np.float32).reshape(size, size)
    nearest = jax.jit(
        lambda dense: structure.matrix(nearest_member(structure, dense), size),
        compiler_options={"xla_backend_optimization_level": 0},  # it runs once
    )
    with jax.ensure_compile_time_eval():
        gap = np.asarray(nearest(dense)) - dense
    return float(np.linalg.norm(gap)) <= 1e-5 * (float(np.linalg.norm(dense)) or 1.0)


def only_recurrent(initializer: Initializer) -> UsageError:
    """The refusal of those that draw no input or output weights."""
    return UsageError(
        f"{initializer} draws recurrent matrices only (cell.recurrent_init); accepted for other weights: Orthogonal, "
        "Reservoir, Uniform, or None"
    )


__all__ = ["Diagonals", "Initializer", "contains", "judged", "only_recurrent"]
