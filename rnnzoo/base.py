"""The contract: structures of the recurrent matrix, cells, unrolls. With this file alone one can write a member.

A member is a specification, a frozen dataclass. Every array is in a pytree of parameters, every method a pure function
of it, for one sequence and one time step: a vector is (H,); `rnnzoo.run` maps over the batch. Letters: `rnnzoo.typing`.
"""

import abc
import dataclasses
from collections.abc import Callable
from typing import ClassVar, Literal

import jax
import jax.numpy as jnp

from rnnzoo.initializers import Initializer
from rnnzoo.registry import Size, Spec, UsageError, spec
from rnnzoo.typing import Array, Connectivity, Control, Float, Key, Params, PyTree, State, cast


@spec
class Structure(Spec, abc.ABC, kind="structures"):
    """A family of (H, H) matrices U. `u` holds the parameters of one of them, never the matrix itself."""

    @property
    @abc.abstractmethod
    def connectivity(self) -> Connectivity:
        """The graph with an edge j -> i where U_ij may differ from 0: no cycle at all ("none"), self-loops only
        ("self"), acyclic but for self-loops ("cascade"), or with longer cycles ("cyclic")."""

    @property
    @abc.abstractmethod
    def closure(self) -> "Algebra":
        """The smallest family that contains this one and all products of its members."""

    @property
    def jacobian(self) -> "Algebra":
        """A family, small if it can be, that holds all products of members of this one and of diagonal matrices."""
        from rnnzoo.structures.families import jacobian

        return jacobian(self)

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

    def lift(self, u: PyTree, size: int) -> PyTree:
        """The same matrix as a member of `closure`."""
        columns = jax.vmap(self.matvec, (None, 0))(self.materialize(u), self.closure.probes(size))
        return self.closure.from_probes(columns)

    def project(self, dense: Float[Array, "H H"]) -> PyTree:
        """The member nearest to a matrix, by the Frobenius norm. Exact by default if U is linear in u; see `grow`."""
        from rnnzoo.grow import nearest

        return nearest(self, dense)

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

    def lift(self, u: PyTree, size: int) -> PyTree:
        return u

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
class Cell(Spec, abc.ABC, kind="cells"):
    """One step of a recurrent network, cut where the mathematics cuts it: only `step` is sequential."""

    gates: ClassVar[tuple[str, ...]] = ("h",)  # the names of W x + b
    carries: ClassVar[tuple[str, ...]] = ("h",)  # the names of the vectors (H,) in the state
    uses_dt: ClassVar[bool] = False  # True: `project` gets x_t (I + 1,), with the elapsed time dt as its last entry

    hidden_size: Size
    """Number of hidden units H."""
    bias: bool = True
    """Whether the gates have biases."""
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """Compute and output dtype (None: that of inputs and parameters). The state is never below float32."""
    kernel_init: Initializer | None = None
    """How input weights W are drawn (None: Glorot uniform)."""

    @property
    def output_size(self) -> int:
        """Number of features O that `readout` returns."""
        return self.hidden_size

    def init(self, key: Key, input_size: int) -> Params:
        """``{"w": {gate: (H, I)}, "b": {gate: (H,)}}``, plus what the cell adds."""
        keys = zip(self.gates, jax.random.split(key, len(self.gates)), strict=True)
        draw = self.kernel_init.kernel if self.kernel_init else jax.nn.initializers.glorot_uniform(0, 1)
        params: Params = {"w": {g: draw(k, (self.hidden_size, input_size)) for g, k in keys}}
        if self.bias:
            params["b"] = {g: jnp.zeros(self.hidden_size) for g in self.gates}
        return params

    def prepare(self, params: Params) -> Params:
        """Once per sequence: cast to the compute dtype, materialise constrained matrices."""
        return cast(params, self.dtype)

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        """z_t: what the input alone determines. Runs at all t in parallel. By default W x + b of each gate."""
        z_t = {g: x_t @ w.T for g, w in params["w"].items()}
        return jax.tree.map(jnp.add, z_t, params["b"]) if self.bias else z_t

    @abc.abstractmethod
    def step(self, params: Params, state: State, z_t: PyTree) -> State:
        """The next state. All that runs in sequence. Reads each U at most once, by `recur`, and not in a `lax.cond`."""

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        """y_t, from the new state. Runs at all t in parallel."""
        return state["h"]

    def initial_state(self, params: Params) -> State:
        """The state before the first step: zeros, in float32 or wider."""
        dtype = jnp.result_type(*jax.tree.leaves(params), jnp.float32)
        return {name: jnp.zeros(self.hidden_size, dtype) for name in self.carries}

    def with_structure(self, change: Callable[[Structure], Structure]) -> "Cell":
        """This cell with its structure changed, if it has one."""
        return self


@spec
class Recurrent(Cell):
    """A cell with recurrent matrices, one per gate, of one structure: ``params["u"] = {gate: u}``."""

    recurrent_gates: ClassVar[tuple[str, ...] | None] = None  # those with a U; None: all gates

    structure: Structure
    """The structure of the recurrent matrices U."""
    recurrent_init: Initializer | None = None
    """How recurrent weights U are drawn (None: as the structure does)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.structure.check(self.hidden_size)

    def init(self, key: Key, input_size: int) -> Params:
        """As `Cell.init`, plus ``"u": {gate: parameters of U}``."""
        key, recurrent_key = jax.random.split(key)
        params = super().init(key, input_size)
        gates = self.gates if self.recurrent_gates is None else self.recurrent_gates
        keys = jax.random.split(recurrent_key, len(gates))
        given, u, size = self.recurrent_init, self.structure, self.hidden_size
        draw = (lambda k: given.matrix(k, u, size)) if given else lambda k: u.init(k, size)
        return params | {"u": {g: draw(k) for g, k in zip(gates, keys, strict=True)}}

    def prepare(self, params: Params) -> Params:
        u = {g: self.structure.materialize(u) for g, u in params["u"].items()}
        return cast({**params, "u": u}, self.dtype)

    def recur(self, u: dict[str, PyTree], h: Float[Array, " H"]) -> dict[str, Float[Array, " H"]]:
        """U h for every gate in `u`. Products run in the compute dtype, results are in that of h."""
        low = h if self.dtype is None else h.astype(self.dtype)
        return {g: self.structure.matvec(u_g, low).astype(h.dtype) for g, u_g in u.items()}

    def with_structure(self, change: Callable[[Structure], Structure]) -> "Recurrent":
        return dataclasses.replace(self, structure=change(self.structure))


class Affine(Cell):
    """A cell that is linear in its state: h_t = A_t h_tm1 + b_t, with A_t in an algebra. `step` follows."""

    @property
    @abc.abstractmethod
    def transition(self) -> Algebra:
        """The family that every A_t belongs to."""

    @abc.abstractmethod
    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        """A_t (parameters of a member of `transition`) and b_t."""

    def step(self, params: Params, state: State, z_t: PyTree) -> State:
        a_t, b_t = self.affine(params, z_t)
        return {"h": self.transition.matvec(a_t, state["h"]) + b_t}


@spec
class Unroll(Spec, abc.ABC, kind="unrolls"):
    """A way to compute all the states. All ways agree with the plain loop in values, and, if `exact`, in gradients."""

    exact: ClassVar[bool] = True  # False: derivatives differ from the loop's on purpose

    def refuses(self, cell: Cell) -> str | None:
        """Why this unroll cannot run that cell; None if it can."""
        return None

    @abc.abstractmethod
    def __call__(self, cell: Cell, params: Params, state: State, zs: PyTree, controls: Control) -> State:
        """The states (T, ...) after each step, from prepared `params`, the `state` before the first step, and
        the projected inputs `zs` (T, ...). `rnnzoo.run` has checked the arguments."""

    def apply(self, cell: Cell, params: Params, state: State, xs: Array, controls: Control) -> tuple[Array, State]:
        """Outputs (T, B, O) and last state (B, ...) of a batch of inputs (T, B, I); by default all T steps at once."""
        from rnnzoo.layer import layer

        return layer(self, cell, params, state, xs, controls)


__all__ = ["Affine", "Algebra", "Array", "Cell", "Connectivity", "Control", "Recurrent", "Size", "Spec", "Structure", "Unroll", "UsageError", "cast", "spec"]  # fmt: skip # noqa: E501
