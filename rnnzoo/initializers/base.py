"""The contract of initializers, and what they share."""

import abc
import functools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.registry import Spec, UsageError, members, spec
from rnnzoo.typing import Array, Key, PyTree

if TYPE_CHECKING:
    from rnnzoo.base import Structure


@spec
class Initializer(Spec, abc.ABC, kind="initializers"):
    """How weights are drawn at first."""

    def refuses(self, structure: "Structure", size: int) -> str | None:
        """Why a matrix of this structure cannot be drawn so; None if it can."""
        return None

    def require(self, structure: "Structure", size: int) -> None:
        """Raise `UsageError` with the reason, and the structures that would fit, if this one is refused."""
        if reason := self.refuses(structure, size):
            fits = ", ".join(_fitting(self)) or "none"
            raise UsageError(f"{self} cannot draw {structure} of hidden_size {size}: {reason}; accepted: {fits}")

    @abc.abstractmethod
    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        """A matrix of (outputs, inputs), or any other array whose last axis is summed over."""

    def matrix(self, key: Key, structure: "Structure", size: int) -> PyTree:
        """The parameters of a structured (H, H) matrix: by default every array of it by `kernel`."""
        shapes = jax.eval_shape(lambda: structure.init(jax.random.key(0), size))
        leaves, tree = jax.tree.flatten(shapes)
        keys = jax.random.split(key, len(leaves))
        return tree.unflatten([self.kernel(k, s.shape) for k, s in zip(keys, leaves, strict=True)])


@functools.lru_cache(maxsize=64)
def _fitting(initializer: Initializer) -> list[str]:
    """The names of the structures, with default fields, that an initializer draws."""
    found = []
    for name, cls in members("structures").items():
        structure: Any = cls()
        for size in (8, 9):
            try:
                structure.check(size)
            except UsageError:
                continue
            if initializer.refuses(structure, size) is None:
                found.append(name)
            break
    return found


@spec
class Diagonals(Initializer, abc.ABC):
    """Draws the diagonal of U; all else is 0, and free to grow wherever the structure is linear in u."""

    @abc.abstractmethod
    def diagonal(self, key: Key, size: int) -> Array:
        """The diagonal (H,)."""

    def refuses(self, structure: "Structure", size: int) -> str | None:
        return None if contains(structure, _some_diagonal(size)) else "it does not contain all diagonal matrices"

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        raise only_recurrent(self)

    def matrix(self, key: Key, structure: "Structure", size: int) -> PyTree:
        self.require(structure, size)
        return structure.project(jnp.diag(self.diagonal(key, size)))


def _some_diagonal(size: int) -> np.ndarray:
    return np.diag(np.random.default_rng(0).uniform(0.2, 0.9, size))


def contains(structure: "Structure", dense: np.ndarray) -> bool:
    """Whether a structure holds this very matrix, up to rounding."""
    with jax.ensure_compile_time_eval():
        u = structure.project(jnp.asarray(dense, jnp.float32))
        gap = np.asarray(structure.matrix(u, len(dense))) - dense
    return float(np.linalg.norm(gap)) <= 1e-5 * (float(np.linalg.norm(dense)) or 1.0)


def only_recurrent(initializer: Initializer) -> UsageError:
    """The refusal of those that draw no input or output weights."""
    return UsageError(
        f"{initializer} draws recurrent matrices only (cell.recurrent_init); accepted for other weights: Orthogonal, "
        "Reservoir, Uniform, or None"
    )


__all__ = ["Diagonals", "Initializer", "contains", "only_recurrent"]
