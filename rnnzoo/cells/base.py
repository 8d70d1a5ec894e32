"""The contract of cells: one step of a recurrent network.

A cell is a specification; its parameters are a pytree. Methods are pure functions for one sequence and one time step:
a vector is (H,), and `rnnzoo.run` maps over the batch.
"""

import abc
import dataclasses
from collections.abc import Callable
from typing import ClassVar, Literal

import jax
import jax.numpy as jnp

from rnnzoo.initializers.base import Initializer
from rnnzoo.spec import Size, Spec, derived, required, spec
from rnnzoo.structures.base import Algebra, Structure
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast


@spec
class Cell(Spec, abc.ABC, kind="cells"):
    """One step of a recurrent network, cut where the mathematics cuts it: only `step` is sequential."""

    gates: ClassVar[tuple[str, ...]] = ("h",)  # the names of W x + b
    carries: ClassVar[tuple[str, ...]] = ("h",)  # the names of the vectors (H,) in the state
    uses_dt: ClassVar[bool] = False  # True: `project` gets x_t (I + 1,), with the elapsed time dt as its last entry

    output_size: ClassVar[int] = derived(lambda self: self.hidden_size)
    """Number of features O that `readout` returns."""

    hidden_size: Size
    """Number of hidden units H."""
    bias: bool = True
    """Whether the gates have biases."""
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    """Compute and output dtype (None: that of inputs and parameters). The state is never below float32."""
    kernel_init: Initializer | None = None
    """How input weights W are drawn (None: Glorot uniform)."""

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

    transition: ClassVar[Algebra] = required()
    """The algebra that every A_t belongs to. A class attribute or a property."""

    @abc.abstractmethod
    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        """A_t (parameters of a member of `transition`) and b_t."""

    def step(self, params: Params, state: State, z_t: PyTree) -> State:
        a_t, b_t = self.affine(params, z_t)
        return {"h": self.transition.matvec(a_t, state["h"]) + b_t}


def structure_of(cell: Cell) -> Structure | None:
    """The structure of a cell's recurrent matrices, if it has any; of the wrapped cell for a wrapper."""
    found = []
    cell.with_structure(lambda structure: found.append(structure) or structure)
    return found[0] if found else None


__all__ = ["Affine", "Cell", "Recurrent", "structure_of"]
