"""Cells around a cell: what wrappers share."""

import abc
import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell, Recurrent
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.histories import histories
from rnnzoo.cells.noise import Noisy
from rnnzoo.cells.recur import Recur
from rnnzoo.initializers.base import undrawn
from rnnzoo.jaxprs import is_literal
from rnnzoo.spec import Size, UsageError, derived, spec
from rnnzoo.structures.base import Structures
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State

_SHARED = ("hidden_size", "bias", "dtype", "kernel_init")


@spec
class Wrapper(Noisy):
    """A cell around `cell`. Parameters, state and outputs are those of `cell` unless the wrapper says otherwise.

    hidden_size, bias, dtype and kernel_init are those of `cell`. One that is given to the wrapper goes to the cell; one
    that is left at its default is the cell's; two that differ are refused. (A hidden_size of 1 counts as not given.)"""

    hidden_size: Size = 1
    """Number of hidden units H; that of `cell`."""
    cell: Cell = Elman(hidden_size=1)
    """The wrapped cell."""

    def __post_init__(self) -> None:
        super().__post_init__()  # first: below, the cell is one
        object.__setattr__(self, "cell", self.sharing(self.cell, "cell"))
        for name in _SHARED:
            object.__setattr__(self, name, getattr(self.cell, name))

    def _told(self) -> dict[str, Any]:
        return {name: value for name, value in super()._told().items() if name not in _SHARED}  # the cell says them

    def sharing(self, cell: Cell, what: str) -> Cell:
        """The inner cell, called `what`, with the shared fields of the wrapper where its own are at their defaults.

        Raises:
            UsageError: two that differ.
        """
        defaults = {f.name: f.default for f in dataclasses.fields(Wrapper) if f.name in _SHARED}
        given = {name: getattr(self, name) for name in _SHARED}
        given = {name: value for name, value in given.items() if value != defaults[name]}
        for name, value in given.items():
            its = getattr(cell, name)
            if its not in (value, defaults[name]):
                raise UsageError(
                    f"{type(self).__name__}.{name} is {value!r} and that of its {what} is {its!r}; "
                    f"accepted: one of the two, or the same twice"
                )
        return dataclasses.replace(cell, **given)

    gates = derived(lambda self: self.cell.gates)
    carries = derived(lambda self: self.cell.carries)
    uses_dt = derived(lambda self: self.cell.uses_dt)
    history = derived(lambda self: self.cell.history)
    z_history = derived(lambda self: self.cell.z_history)
    feature_axes = derived(lambda self: self.cell.feature_axes)
    leading_axes = derived(lambda self: self.cell.leading_axes)
    input_leaves = derived(lambda self: self.cell.input_leaves)
    elementwise = derived(lambda self: self.cell.elementwise)
    structures = derived(lambda self: self.cell.structures)
    output_size = derived(lambda self: self.cell.output_size)
    gives = derived(lambda self: self.cell.gives)
    takes = derived(lambda self: self.cell.takes)

    def input_size_of(self, features: int) -> Any:
        return self.cell.input_size_of(features)

    def init(self, key: Key, input_size: Any) -> Params:
        return self.cell.init(key, input_size)

    def at_depth(self, depth: float, layers: int) -> "Wrapper":
        inner = {name: cell.at_depth(depth, layers) for name, cell in _wrapped(self).items()}
        return dataclasses.replace(self, **inner)

    def prepare(self, params: Params) -> Params:
        return self.cell.prepare(params)

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return self.cell.project(params, x_t)

    def convolve(self, params: Params, window: PyTree) -> PyTree:
        return self.cell.convolve(params, window)

    @abc.abstractmethod
    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        """The next state. Passes `recur` on to ``cell.step``, or a function around it (`rnnzoo.cells.recur`)."""

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return self.cell.readout(params, state, z_t)

    def output(self, params: Params, read: PyTree, z_t: PyTree) -> Float[Array, " O"]:
        """What `readout` gives, from what is read of a matrix memory (`MatrixMemory.output`): where `recurrence` is
        one."""
        return self.cell.output(params, read, z_t)  # pyright: ignore[reportAttributeAccessIssue]

    def initial_state(self, params: Params) -> State:
        return self.cell.initial_state(params)

    def noisy_params(self, key: Key, params: Params) -> Params:
        return self.cell.noisy_params(key, params) if isinstance(self.cell, Noisy) else params

    def noise(self, key: Key, time: int) -> PyTree:
        return self.cell.noise(key, time) if isinstance(self.cell, Noisy) else None


def _wrapped(wrapper: Wrapper) -> dict[str, Cell]:
    """The cells in the fields of a wrapper, which may have several."""
    fields = {f.name: getattr(wrapper, f.name) for f in dataclasses.fields(wrapper)}
    return {name: value for name, value in fields.items() if isinstance(value, Cell)}


def with_structure(cell: Cell, structure: Structures) -> Cell:
    """The cell with another structure of its recurrent matrices, if it has any; of the wrapped cells for a wrapper."""
    if isinstance(cell, Wrapper):
        inner = {name: with_structure(value, structure) for name, value in _wrapped(cell).items()}
        return dataclasses.replace(cell, **inner)
    return dataclasses.replace(cell, structure=structure) if isinstance(cell, Recurrent) else cell


def without_matrices(cell: Cell) -> Cell:
    """The cell with small recurrent matrices and nothing drawn, for the shapes of z_t, which do not depend on U."""
    return with_structure(undrawn(cell), Diagonal())


def projected_shapes(cell: Cell, input_size: Any) -> PyTree:
    """The shapes of what `project` of a cell returns. Nothing is drawn."""
    cell = without_matrices(cell)
    *leading, last = (input_size,) if cell.feature_axes == 1 else input_size
    past = [cell.history + 1] * (cell.history > 0)
    x_t = jax.ShapeDtypeStruct((*past, *leading, last + cell.uses_dt), jnp.float32)
    made = lambda x_t: cell.project(cell.prepare(cell.init(jax.random.key(0), input_size)), x_t)  # noqa: E731
    return jax.eval_shape(made, x_t)


def innermost(cell: Cell) -> Cell:
    """The cell inside all wrappers."""
    while isinstance(cell, Wrapper):
        cell = cell.cell
    return cell


def needs_structure(wrapper: Wrapper) -> None:
    """Raise `UsageError` if the wrapped cell has no recurrent matrix."""
    if not wrapper.cell.structures:
        raise UsageError(
            f"{type(wrapper.cell).__name__} has no recurrent matrix U, which {type(wrapper).__name__} acts on; "
            "accepted: a cell with a structure"
        )


def needs_no_history(wrapper: Wrapper) -> None:
    """Raise `UsageError` if the wrapped cell reads inputs of earlier steps itself."""
    if wrapper.cell.history:
        raise UsageError(
            f"{type(wrapper.cell).__name__} reads {wrapper.cell.history} inputs before x_t, and "
            f"{type(wrapper).__name__} changes what it reads; accepted: a cell without a history of inputs"
        )


def needs_plain_projection(wrapper: Wrapper) -> None:
    """Raise `UsageError` if the wrapped cell reads projections of earlier steps itself."""
    if wrapper.cell.z_history:
        raise UsageError(
            f"{type(wrapper.cell).__name__} reads {wrapper.cell.z_history} projections before z_t, and "
            f"{type(wrapper).__name__} changes what they are; accepted: a cell without a history of projections"
        )


def needs_vectors(wrapper: Wrapper) -> None:
    """Raise `UsageError` if the state of the wrapped cell is not one of vectors."""
    if not wrapper.cell.carries:
        raise UsageError(
            f"the state of {type(wrapper.cell).__name__} is not one of vectors, which {type(wrapper).__name__} "
            f"acts on; accepted: {type(wrapper.cell).__name__} outside, {type(wrapper).__name__} inside"
        )


@functools.lru_cache(maxsize=256)
def vector_shapes(cell: Cell) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The names of the vectors in the state of `cell`, in the order of `carries`, each with its shape."""
    state = state_shapes(cell, cell.input_size_of(cell.hidden_size))
    return tuple((name, state[name].shape) for name in cell.carries)


def state_shapes(cell: Cell, input_size: Any) -> State:
    """The shapes of the state of one sequence. Nothing is drawn; U keeps its structure, since an `initial_state` may
    read it."""
    cell = undrawn(cell)
    return jax.eval_shape(lambda: cell.initial_state(cell.prepare(cell.init(jax.random.key(0), input_size))))


def needs_single_inputs(wrapper: Wrapper, *cells: Cell) -> None:
    """Raise `UsageError` if one of the cells takes anything but one vector a step."""
    for cell in cells:
        if histories(cell) or cell.feature_axes != 1:
            what = "a window over the past" if histories(cell) else f"inputs of {cell.feature_axes} axes"
            raise UsageError(
                f"{type(cell).__name__} takes {what}, and {type(wrapper).__name__} makes the inputs of its cells step "
                "by step; accepted: a cell that takes one vector a step"
            )


def needs_readout_of_state(wrapper: Wrapper, cell: Cell) -> None:
    """Raise `UsageError` if the outputs of a cell depend on its projected inputs, which are not kept where the wrapper
    makes them in the loop."""
    if _reads_inputs(cell):
        raise UsageError(
            f"the output of {type(cell).__name__} is made of its state and its input, which {type(wrapper).__name__} "
            "changes in the loop and does not keep; accepted: a cell whose output is made of its state alone"
        )


@functools.lru_cache(maxsize=256)
def _reads_inputs(cell: Cell) -> bool:
    """Whether what `readout` of a cell that takes one vector a step returns depends on z_t."""
    cell = undrawn(cell)

    def arguments() -> tuple[Params, State, PyTree]:
        params = cell.prepare(cell.init(jax.random.key(0), cell.input_size_of(cell.hidden_size)))
        x_t = jnp.zeros(cell.window_of(cell.hidden_size))
        return params, cell.initial_state(params), cell.project(params, x_t)

    params, state, z_t = jax.eval_shape(arguments)
    jaxpr = jax.make_jaxpr(lambda z_t, params, state: cell.readout(params, state, z_t))(z_t, params, state).jaxpr
    used = set(jaxpr.outvars)
    for eqn in reversed(jaxpr.eqns):
        if not used.isdisjoint(eqn.outvars):
            used |= {var for var in eqn.invars if not is_literal(var)}
    return not used.isdisjoint(jaxpr.invars[: len(jax.tree.leaves(z_t))])


def projected(cell: Cell, params: Params, x_t: Float[Array, " I"]) -> PyTree:
    """What an inner cell makes of an input that is known in the loop only, as its step gets it: at least float32."""
    z_t = cell.project(params, x_t if cell.dtype is None else x_t.astype(cell.dtype))
    return jax.tree.map(lambda a: a.astype(jnp.promote_types(a.dtype, jnp.float32)), z_t)


def times(matrix: Float[Array, "M N"], vector: Float[Array, " N"]) -> Float[Array, " M"]:
    """The product in the dtype of the matrix, that of computation, as the dtype of the vector, that of the state."""
    return (vector.astype(matrix.dtype) @ matrix.T).astype(vector.dtype)


def needs_units(wrapper: Wrapper) -> None:
    """Raise `UsageError` if the state of the wrapped cell is not one of vectors with a number for each unit, (H,)."""
    needs_vectors(wrapper)
    for name, shape in vector_shapes(wrapper.cell):
        if shape != (wrapper.hidden_size,):
            raise UsageError(
                f"{name} of {type(wrapper.cell).__name__} has shape {shape}, and {type(wrapper).__name__} acts on "
                f"units, of which there are {wrapper.hidden_size}; accepted: a cell whose state has vectors (H,) only"
            )


__all__ = [
    "Wrapper", "innermost", "needs_no_history", "needs_plain_projection", "needs_readout_of_state",
    "needs_single_inputs", "needs_structure", "needs_units", "needs_vectors", "projected", "projected_shapes",
    "state_shapes", "times", "vector_shapes", "with_structure", "without_matrices",
]  # fmt: skip
