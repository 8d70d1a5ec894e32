"""Run a network on a stream, a few steps at a time: compiled ahead of time, its state updated in place."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from rnnzoo.cells.base import Cell
from rnnzoo.models import Model
from rnnzoo.run import check_params, run
from rnnzoo.spec import UsageError, spec
from rnnzoo.typing import Array, Key, Params, PyTree, State

Dtype = Literal["float32", "bfloat16", "float16", "float64"]


@dataclasses.dataclass(frozen=True)
class Stepper:
    """A compiled step; from `make_stepper`. Call it with a state and inputs of exactly the shapes it was made for."""

    compiled: Any  # what `jax.jit(...).lower(...).compile()` returns
    accepted: tuple[Any, ...]  # shapes and dtypes of the arguments: state, xs and, where asked for, resets
    first: State

    def start(self) -> State:
        """A new state of all streams, as before the first step."""
        return jax.tree.map(jnp.copy, self.first)

    def __call__(self, state: State, xs: Any, resets: Any = None, **unknown: Any) -> tuple[Array, State]:
        """Outputs (steps, *B, O) and the new state. `state` is given up: its memory holds the new one.

        `resets`, if the stepper was made for them, is (steps, *B), True where a stream starts anew before the step."""
        if unknown:
            raise UsageError(f"the stepper was called with {', '.join(unknown)}; accepted: state, xs, resets")
        given = (state, xs) if resets is None else (state, xs, resets)
        try:
            return self.compiled(*given)
        except (TypeError, ValueError, RuntimeError):
            self._check(*given)
            raise

    def _check(self, *given: Any) -> None:
        if any(_is_used(leaf) for leaf in jax.tree.leaves(given[0])):
            raise UsageError("state of the stepper has been used, which gives it up; accepted: the one returned last")
        names = ("state", "xs", "resets")
        if len(given) != len(self.accepted):
            expected = ", ".join(names[: len(self.accepted)])
            raise UsageError(f"the stepper was called with {len(given)} arguments; accepted: {expected}")
        for name, value, like in zip(names, given, self.accepted, strict=False):
            if (said := _shapes(value)) != (wanted := _shapes(like)):
                raise UsageError(f"{name} of the stepper is {said}; accepted: {wanted}")


def make_stepper(
    cell: Cell,
    params: Params,
    *,
    batch: tuple[int, ...] = (),
    steps: int = 1,
    resets: bool = False,
    dtype: Dtype | None = None,
) -> Stepper:
    """A compiled function that runs `cell` over the next `steps` steps of a stream, or of a batch of streams.

    Outputs and state are those of `rnnzoo.run` over the whole sequence. Parameters are prepared once and compiled in,
    in the layout that the compiler likes best: other parameters need another stepper. One call costs some 10 us
    besides its arithmetic, so that several steps a call are faster where the stream allows it.

    Args:
        cell: what to run; where it uses the elapsed time dt, that is 1.
        params: its parameters, from ``cell.init``; arrays, not tracers.
        batch: the batch axes *B of the inputs: how many streams advance together.
        steps: how many steps one call takes.
        resets: whether calls also take resets (steps, *B).
        dtype: of the inputs (None: float32, or float64 under x64).

    Returns:
        A `Stepper`: ``state = stepper.start()``, then ``ys, state = stepper(state, xs)`` with xs (steps, *B, I) and ys
        (steps, *B, O).

    Raises:
        UsageError (a ValueError): parameters that do not fit the cell, or a batch, steps or dtype that is not accepted.
    """
    if not isinstance(batch, (tuple, list)) or not all(_is_count(size) for size in batch):
        raise UsageError(f"batch is {batch!r}; accepted: a tuple of integers >= 0, such as (3,)")
    floating = _check_steps(steps, dtype)
    features = _input_size(cell, params)
    ready = jax.jit(cell.prepare)(params)
    prepared = _ready(cell)

    def function(state: State, xs: Array, *reset: Array) -> tuple[Array, State]:
        return run(prepared, ready, xs, state, resets=reset[0] if reset else None)

    one = cell.initial_state(ready)
    first = jax.tree.map(lambda a: jnp.broadcast_to(a, (*batch, *a.shape)), one)
    xs = jax.ShapeDtypeStruct((steps, *batch, features), floating)
    return _compile(function, first, xs, resets)


def make_model_stepper(
    model: Model, params: Params, *, streams: int = 1, steps: int = 1, resets: bool = False, dtype: Dtype | None = None
) -> Stepper:
    """The same for a whole network: tokens (steps, B) or vectors (steps, B, I) to outputs (steps, B, O), or to outputs
    (B, O) of the last step where the model reads the last one. B is `streams`; other arguments as in `make_stepper`.

    Raises:
        UsageError (a ValueError): a bidirectional model, which reads whole sequences, or no steps.
    """
    if model.stack.bidirectional:
        raise UsageError("a bidirectional stack reads whole sequences; accepted for a stream: one direction")
    if not _is_count(streams):
        raise UsageError(f"streams is {streams!r}; accepted: an integer >= 0")
    floating = _check_steps(steps, dtype)
    ready, values = prepared(model, params)

    def function(state: State, xs: Array, *reset: Array) -> tuple[Array, State]:
        return ready.apply(values, xs, state, resets=reset[0] if reset else None)

    first = jax.tree.map(jnp.copy, ready.initial_state(values, streams))
    floats = jax.ShapeDtypeStruct((steps, streams, model.input_size), floating)
    xs = jax.ShapeDtypeStruct((steps, streams), jnp.int32) if model.tokens else floats
    return _compile(function, first, xs, resets)


def prepared(model: Model, params: Params) -> tuple[Model, Params]:
    """The same network with the parameters of its cells prepared, once and for all."""
    ready = dict(params)
    for name in (f"layer_{layer}" for layer in range(model.stack.layers)):
        cells = {d: jax.jit(model.cell.prepare)(params[name][d]) for d in model.directions}
        ready[name] = {**params[name], **cells}
    return dataclasses.replace(model, cell=_ready(model.cell)), ready


def _compile(function: Callable[..., Any], first: State, xs: jax.ShapeDtypeStruct, resets: bool) -> Stepper:
    streams = xs.shape[:-1] if jnp.issubdtype(xs.dtype, jnp.floating) else xs.shape
    reset = (jax.ShapeDtypeStruct(streams, jnp.bool_),) if resets else ()
    state = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), first)
    compiled = jax.jit(function, donate_argnums=0).lower(state, xs, *reset).compile()
    return Stepper(compiled, (state, xs, *reset), first)


def _check_steps(steps: Any, dtype: Any) -> Any:
    """The dtype of floating-point inputs, where it and the number of steps are accepted."""
    if not _is_count(steps) or steps < 1:
        raise UsageError(f"steps is {steps!r}; accepted: an integer >= 1")
    if dtype is None:
        return jnp.result_type(float)
    if str(dtype) not in get_args(Dtype):
        raise UsageError(f"dtype is {dtype!r}; accepted: one of {', '.join(get_args(Dtype))}, or None")
    if str(dtype) == "float64" and not jax.config.jax_enable_x64:  # pyright: ignore[reportAttributeAccessIssue]
        raise UsageError("dtype is 'float64'; accepted where jax_enable_x64 is on: without it JAX runs float32")
    return jnp.dtype(dtype)


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= 0)


def _is_used(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and not isinstance(leaf, Tracer) and leaf.is_deleted()


def _ready(cell: Cell) -> Cell:
    """`cell` with parameters that are prepared already."""
    fields = {field.name: getattr(cell, field.name) for field in dataclasses.fields(cell)}
    return _ready_class(type(cell))(**fields)


@functools.cache
def _ready_class(kind: Any) -> Any:
    """A subclass, so that unrolls find in it all that they find in the cell."""

    def init(self: Any, key: Key, input_size: int) -> Params:
        return kind.prepare(self, kind.init(self, key, input_size))

    def prepare(self: Any, params: Params) -> Params:
        return params

    body = {"init": init, "prepare": prepare, "__module__": __name__, "__doc__": kind.__doc__}
    return spec(type(f"_Ready{kind.__name__}", (kind,), body))


def _input_size(cell: Cell, params: Params) -> int:
    """The number of input features I that parameters are for: one of their own dimensions."""
    sizes = sorted({size for leaf in jax.tree.leaves(params) for size in np.shape(leaf)} - {0})
    for size in sizes[:-1]:
        try:
            check_params(cell, params, size)
        except UsageError:
            continue
        return size
    check_params(cell, params, sizes[-1] if sizes else 1)
    return sizes[-1]


def _shapes(tree: PyTree) -> str:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return ", ".join(f"{jax.tree_util.keystr(p)} {jnp.result_type(a)} of {np.shape(a)}".strip() for p, a in leaves)


__all__ = ["Stepper", "make_model_stepper", "make_stepper", "prepared"]
