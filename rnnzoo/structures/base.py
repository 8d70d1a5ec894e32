"""The contract of structures of the recurrent matrix U.

A structure is a specification; its parameters u are a pytree. Methods are pure functions for one sequence, without
batch axes: a vector is (H,), and `rnnzoo.run` maps over the batch.

Unit i *hears* unit j if the structure lets U_ij differ from 0: h_t[i] may then depend on h_tm1[j].
"""

import abc
import functools
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from rnnzoo.spec import Spec, UsageError, brief, derived, required, spec, suggest
from rnnzoo.typing import Array, Connectivity, Float, Int, Key, PyTree, Shaped


@spec
class Structure(Spec, abc.ABC, kind="structures"):
    """A family of (H, H) matrices U. A matrix takes two forms:

    - its parameters u, the arrays that are trained. `init` and `nearest` return them.
    - the prepared matrix, `materialize(u)`, computed once per sequence. `matvec` takes this form only.

    By default the two are the same. Both are those of one matrix, without batch axes."""

    connectivity: ClassVar[Connectivity] = required()
    """The graph with an edge j -> i where U_ij may differ from 0: no cycle at all ("none"), self-loops only ("self"),
    acyclic but for self-loops ("cascade"), or with longer cycles ("cyclic"). A class attribute or a property."""
    closure: ClassVar["Algebra"] = required()
    """The smallest algebra that contains this structure. A class attribute or a property."""
    jacobian: ClassVar["Algebra"] = derived(lambda self: self.closure.jacobian)
    """An algebra, as small as we know, containing every product of matrices of this structure and of diagonal matrices;
    Newton's Jacobians lie in it."""

    def check(self, size: int) -> None:
        """Raise `UsageError` if no (size, size) matrix has this structure; the message says which sizes fit."""

    @abc.abstractmethod
    def init(self, key: Key, size: int) -> PyTree:
        """The parameters u of a random (size, size) matrix. Must run under `jit`, and under `vmap` over keys."""

    def shapes(self, size: int) -> PyTree:
        """The shapes and dtypes of the parameters u. By default those of `init`, which is traced; a structure whose
        `init` computes something outside of JAX, or takes long to trace, says them itself."""
        return _shapes(self, size, jax.config.read("jax_enable_x64"))

    @abc.abstractmethod
    def matvec(self, u: PyTree, h: Float[Array, " H"]) -> Float[Array, " H"]:
        """U h, from the prepared matrix. Linear in h. Should cost about as many operations as U has parameters."""

    def materialize(self, u: PyTree) -> PyTree:
        """The prepared matrix, from its parameters u: the work that is done once per sequence, not in every `matvec`.

        Nothing else takes u, so that a constrained matrix is computed here and nowhere else."""
        return u

    def matrix(self, u: PyTree, size: int) -> Float[Array, "H H"]:
        """The dense matrix U, from its parameters u: the definition that tests and pictures use."""
        eye = jnp.eye(size, dtype=jnp.result_type(*jax.tree.leaves(u), jnp.float32))
        return jax.vmap(self.matvec, (None, 0), 1)(self.materialize(u), eye)

    def nearest(self, dense: Float[Array, "H H"]) -> PyTree | None:
        """The parameters u of the member nearest to a matrix in the Frobenius norm, if there is a closed form.
        By default None: `rnnzoo.structures.nearest` then finds it numerically."""
        return None

    def eigenvalues(self, u: PyTree, size: int) -> Shaped[Array, " H"] | None:
        """The eigenvalues of U, from the prepared matrix, where all members are triangular in one basis; else None.
        They are in an order in which they are linear in the prepared matrix.

        By default the diagonal, if the only cycles are self-loops."""
        if self.connectivity == "cyclic":
            return None

        def entry(i: Int[Array, ""]) -> Float[Array, ""]:
            return self.matvec(u, (jnp.arange(size) == i).astype(float))[i]

        return lax.map(entry, jnp.arange(size), batch_size=min(64, size))

    def num_params(self, size: int) -> int:
        """How many numbers in u have an effect on U."""
        return sum(leaf.size for leaf in jax.tree.leaves(self.shapes(size)))

    def nonzeros(self, size: int) -> int:
        """How many entries of U may differ from 0."""
        return self.num_params(size)

    def flops_per_step(self, size: int) -> int:
        """Floating-point operations in one `matvec`."""
        return 2 * self.num_params(size)


@functools.lru_cache(maxsize=4096)  # a search for a size asks again and again; `wide` is in what it depends on
def _shapes(structure: Structure, size: int, wide: bool) -> PyTree:
    return jax.eval_shape(lambda: structure.init(jax.random.key(0), size))


class Algebra(Structure):
    """A structure closed under products, so that a recurrence with its matrices can run in parallel over time."""

    additive: ClassVar[bool] = True
    """Whether matrices are added by adding their parameters; then adding their prepared forms adds them too."""

    @property
    def closure(self) -> "Algebra":
        return self

    jacobian: ClassVar["Algebra"] = required()

    def bare(self, a: PyTree) -> PyTree:
        """A prepared matrix without what only derivatives by its parameters need. `compose` takes and returns this
        form, and `matvec` takes either. By default all of it."""
        return a

    @abc.abstractmethod
    def compose(self, a: PyTree, b: PyTree) -> PyTree:
        """The product A B (B acts first), prepared and bare, of two such matrices."""

    @abc.abstractmethod
    def identity(self, size: int) -> PyTree:
        """The parameters u of the identity matrix. `UsageError` if the family does not contain it."""

    @abc.abstractmethod
    def probes(self, size: int) -> Float[Array, "P H"]:
        """P vectors p, one per row, whose images A p determine any member A. The fewer, the cheaper the Jacobians."""

    @abc.abstractmethod
    def from_probes(self, columns: Float[Array, "P H"]) -> PyTree:
        """The parameters u of the member that maps `probes` to `columns`, row by row."""


def reals(*shape: int) -> Any:
    """An array of real numbers as `Structure.shapes` describes it, of the precision that JAX has by default."""
    return jax.ShapeDtypeStruct(shape, jnp.result_type(float))


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
                f"PerGate.gates is {brief(self.gates)} for {len(self.structures)} structures; accepted: each gate "
                "once, and a structure for each"
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

__all__ = ["Algebra", "PerGate", "Structure", "Structures", "reals"]
