"""Cells around a cell: what wrappers share."""

import abc
import dataclasses
import functools
from typing import Any

import jax

from rnnzoo.cells.base import Cell, Recurrent
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.noise import Noisy
from rnnzoo.cells.recur import Recur
from rnnzoo.initializers.base import undrawn
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
        defaults = {f.name: f.default for f in dataclasses.fields(Wrapper) if f.name in _SHARED}
        given = {name: getattr(self, name) for name in _SHARED}
        given = {name: value for name, value in given.items() if value != defaults[name]}
        for name, value in given.items():
            its = getattr(self.cell, name)
            if its not in (value, defaults[name]):
                raise UsageError(
                    f"{type(self).__name__}.{name} is {value!r} and that of its cell is {its!r}; "
                    f"accepted: one of the two, or the same twice"
                )
        cell = dataclasses.replace(self.cell, **given)
        object.__setattr__(self, "cell", cell)
        for name in _SHARED:
            object.__setattr__(self, name, getattr(cell, name))

    gates = derived(lambda self: self.cell.gates)
    carries = derived(lambda self: self.cell.carries)
    uses_dt = derived(lambda self: self.cell.uses_dt)
    history = derived(lambda self: self.cell.history)
    feature_axes = derived(lambda self: self.cell.feature_axes)
    leading_axes = derived(lambda self: self.cell.leading_axes)
    input_leaves = derived(lambda self: self.cell.input_leaves)
    elementwise = derived(lambda self: self.cell.elementwise)
    structures = derived(lambda self: self.cell.structures)
    output_size = derived(lambda self: self.cell.output_size)

    def init(self, key: Key, input_size: Any) -> Params:
        return self.cell.init(key, input_size)

    def prepare(self, params: Params) -> Params:
        return self.cell.prepare(params)

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        return self.cell.project(params, x_t)

    @abc.abstractmethod
    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        """The next state. Passes `recur` on to ``cell.step``, or a function around it (`rnnzoo.cells.recur`)."""

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return self.cell.readout(params, state, z_t)

    def initial_state(self, params: Params) -> State:
        return self.cell.initial_state(params)

    def noisy_params(self, key: Key, params: Params) -> Params:
        return self.cell.noisy_params(key, params) if isinstance(self.cell, Noisy) else params

    def noise(self, key: Key, time: int) -> PyTree:
        return self.cell.noise(key, time) if isinstance(self.cell, Noisy) else None


def with_structure(cell: Cell, structure: Structures) -> Cell:
    """The cell with another structure of its recurrent matrices, if it has any; of the wrapped cell for a wrapper."""
    if isinstance(cell, Wrapper):
        return dataclasses.replace(cell, cell=with_structure(cell.cell, structure))
    return dataclasses.replace(cell, structure=structure) if isinstance(cell, Recurrent) else cell


def without_matrices(cell: Cell) -> Cell:
    """The cell with small recurrent matrices and nothing drawn, for the shapes of z_t, which do not depend on U."""
    return with_structure(undrawn(cell), Diagonal())


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
    "Wrapper", "innermost", "needs_no_history", "needs_structure", "needs_units", "needs_vectors", "state_shapes",
    "vector_shapes", "with_structure", "without_matrices",
]  # fmt: skip
