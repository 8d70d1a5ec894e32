"""The contract of structures of the recurrent matrix U.

A structure is a specification; its parameters u are a pytree. Methods are pure functions for one sequence: a vector is
(H,), and `rnnzoo.run` maps over the batch. Unit i *hears* unit j where U_ij may differ from 0.
"""

import abc
from collections.abc import Iterable, Mapping
from typing import ClassVar

import jax
import jax.numpy as jnp

from rnnzoo.spec import Spec, UsageError, derived, required, spec, suggest
from rnnzoo.typing import Array, Connectivity, Float, Key, PyTree


@spec
class Structure(Spec, abc.ABC, kind="structures"):
    """A family of (H, H) matrices U. `u` holds the parameters of one of them, never the matrix itself."""

    connectivity: ClassVar[Connectivity] = required()
    """The graph with an edge j -> i where U_ij may differ from 0: no cycle at all ("none"), self-loops only ("self"),
    acyclic but for self-loops ("cascade"), or with longer cycles ("cyclic"). A class attribute or a property."""
    closure: ClassVar["Algebra"] = required()
    """The smallest algebra that contains this structure. A class attribute or a property."""
    jacobian: ClassVar["Algebra"] = derived(lambda self: self.closure.jacobian)
    """An algebra, as small as we know, containing every product of matrices of this structure and of diagonal matrices;
    Newton's Jacobians lie in it."""

    def check(self, size: int) -> None:
        """Raise `UsageError` if no (size, size) matrix has this structure; the message says what would fit."""

    @abc.abstractmethod
    def init(self, key: Key, size: int) -> PyTree:
        """The parameters u of a random member of (size, size)."""

    @abc.abstractmethod
    def matvec(self, u: PyTree, h: Float[Array, " H"]) -> Float[Array, " H"]:
        """U h. Linear in h, at a cost in proportion to the parameters."""

    def materialize(self, u: PyTree) -> PyTree:
        """What is worth computing once per sequence rather than in every `matvec`."""
        return u

    def matrix(self, u: PyTree, size: int) -> Float[Array, "H H"]:
        """The dense matrix U: the definition that tests and pictures use."""
        eye = jnp.eye(size, dtype=jnp.result_type(*jax.tree.leaves(u), jnp.float32))
        return jax.vmap(self.matvec, (None, 0), 1)(self.materialize(u), eye)

    def nearest(self, dense: Float[Array, "H H"]) -> PyTree | None:
        """The parameters of the member nearest to a matrix, by the Frobenius norm, where there is a closed form for it;
        None, the default, leaves it to `rnnzoo.structures.nearest`."""
        return None

    def num_params(self, size: int) -> int:
        """How many numbers are free in u."""
        return sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(lambda: self.init(jax.random.key(0), size))))

    def nonzeros(self, size: int) -> int:
        """How many entries of U may differ from 0."""
        return self.num_params(size)

    def flops_per_step(self, size: int) -> int:
        """Floating-point operations in one `matvec`."""
        return 2 * self.num_params(size)


class Algebra(Structure):
    """A structure closed under products, so that a recurrence over its members can run in parallel in time."""

    additive: ClassVar[bool] = True  # whether the parameters of A + B are the sums of those of A and B

    @property
    def closure(self) -> "Algebra":
        return self

    jacobian: ClassVar["Algebra"] = required()

    @abc.abstractmethod
    def compose(self, a: PyTree, b: PyTree) -> PyTree:
        """The parameters of the product A B (B acts first)."""

    @abc.abstractmethod
    def identity(self, size: int) -> PyTree:
        """The parameters of the identity matrix. `UsageError` if the family has none."""

    @abc.abstractmethod
    def probes(self, size: int) -> Float[Array, "P H"]:
        """Vectors p whose images A p determine any member A."""

    @abc.abstractmethod
    def from_probes(self, columns: Float[Array, "P H"]) -> PyTree:
        """The member with these images of `probes`."""


@spec
class PerGate(Spec, kind="per_gate"):
    """Structures by gate, where a cell's matrices differ: ``PerGate.of({"n": Diagonal()}, default=Dense())``."""

    gates: tuple[str, ...] = ()
    """The gates that have a structure here."""
    structures: tuple[Structure, ...] = ()
    """Their structures, in the same order."""
    default: Structure | None = None
    """The structure of all other gates (None: there are no others)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.gates) != len(self.structures) or len(set(self.gates)) < len(self.gates):
            raise UsageError(
                f"PerGate.gates is {self.gates!r} for {len(self.structures)} structures; accepted: each gate once, "
                "and a structure for each"
            )

    @classmethod
    def of(cls, structures: Mapping[str, Structure], default: Structure | None = None) -> "PerGate":
        """From {gate: structure}."""
        return cls(gates=tuple(structures), structures=tuple(structures.values()), default=default)

    def resolve(self, gates: Iterable[str], owner: str) -> dict[str, Structure]:
        """The structure of each of these gates.

        Raises:
            UsageError: a gate without a structure, or a structure for a gate that is not there.
        """
        gates, given = tuple(gates), dict(zip(self.gates, self.structures, strict=True))
        if strange := [gate for gate in self.gates if gate not in gates]:
            raise UsageError(
                f"{owner} has no gate {strange[0]!r} with a recurrent matrix; {suggest(strange[0], gates)}"
            )
        if (bare := [gate for gate in gates if gate not in given]) and self.default is None:
            raise UsageError(
                f"{owner}.structure has none for {', '.join(bare)}; accepted: one for each gate, or a default"
            )
        found = {gate: given.get(gate, self.default) for gate in gates}
        return {gate: structure for gate, structure in found.items() if structure is not None}


Structures = Structure | PerGate | Mapping[str, Structure]
"""What a cell takes for its recurrent matrices: one structure for all, or one per gate."""

__all__ = ["Algebra", "PerGate", "Structure", "Structures"]
