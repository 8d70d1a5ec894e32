"""Run a network on a stream, a few steps at a time: compiled ahead of time, its state updated in place."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from rnnzoo.arguments import as_array, check_params
from rnnzoo.cells.base import Cell
from rnnzoo.integers import check_integers
from rnnzoo.models import Model
from rnnzoo.notebook import tree
from rnnzoo.run import run_prepared
from rnnzoo.shown import changed
from rnnzoo.spec import UsageError
from rnnzoo.typing import Array, Params, PyTree, State

Dtype = Literal["float32", "bfloat16", "float16", "float64"]


@dataclasses.dataclass(frozen=True)
class Stepper:
    """A compiled step; from `make_stepper`. Call it with a state and inputs of exactly the shapes it was made for."""

    compiled: Any  # what `jax.jit(...).lower(...).compile()` returns
    accepted: dict[str, Any]  # shapes and dtypes of the arguments: state, xs, and the controls that were asked for
    first: State
    symbols: int | None = None  # how many tokens there are; None: xs is floating point, or not to be checked

    def __repr__(self) -> str:
        xs, *controls = (name for name in self.accepted if name != "state")
        shape = self.accepted[xs]
        also = "".join(f", {name}" for name in controls)
        return f"Stepper({xs} {shape.shape} {shape.dtype}{also})"

    def __treescope_repr__(self, path: str | None, subtree_renderer: Any) -> Any:
        told = {name: value for name, value in changed(self).items() if name != "compiled"}
        return tree(self, told, path, subtree_renderer)

    def start(self) -> State:
        """A new state of all streams, as before the first step."""
        return jax.tree.map(jnp.copy, self.first)

    def __call__(
        self, state: State, xs: Any, resets: Any = None, *, mask: Any = None, dt: Any = None, **unknown: Any
    ) -> tuple[Array, State]:
        """Outputs (steps, *B, O) and the new state. `state` is given up: its memory holds the new one.

        The controls that the stepper was made for, (steps, *B) each: `resets`, True where a stream starts anew before
        the step; `mask`, False where a step is left out; `dt`, the time since the step before.

        Raises:
            UsageError (a ValueError): a wrong shape or dtype, a state that was used before, or tokens that the model
                does not have."""
        if unknown:
            raise UsageError(f"the stepper was called with {', '.join(unknown)}; accepted: {', '.join(self.accepted)}")
        controls = {"resets": resets, "mask": mask, "dt": dt}
        controls = {name: value for name, value in controls.items() if value is not None}
        if self.symbols is not None:
            xs = as_array(xs)
            check_integers("xs of the stepper", xs, 0, self.symbols - 1, _counts(mask, xs))
        try:
            return self.compiled(state, xs, controls)
        except (TypeError, ValueError, RuntimeError):
            self._check({"state": state, "xs": xs, **controls})
            raise

    def _check(self, given: dict[str, Any]) -> None:
        if any(_is_used(leaf) for leaf in jax.tree.leaves(given["state"])):
            raise UsageError("state of the stepper has been used, which gives it up; accepted: the one returned last")
        if given.keys() != self.accepted.keys():
            expected = ", ".join(self.accepted)
            raise UsageError(f"the stepper was called with {', '.join(given)}; accepted: {expected}")
        for name, like in self.accepted.items():
            if (said := _shapes(given[name])) != (wanted := _shapes(like)):
                raise UsageError(f"{name} of the stepper is {said}; accepted: {wanted}")


def make_stepper(
    cell: Cell,
    params: PyTree,
    *,
    batch: tuple[int, ...] = (),
    steps: int = 1,
    resets: bool = False,
    mask: bool = False,
    dt: bool = False,
    dtype: Dtype | None = None,
) -> Stepper:
    """A compiled function that runs `cell` over the next `steps` steps of a stream, or of a batch of streams.

    Outputs and state are those of `rnnzoo.run` over the whole sequence. Parameters are prepared once and compiled in,
    in the layout that the compiler likes best: other parameters need another stepper. One call costs some 10 us
    besides its arithmetic, so that several steps a call are faster where the stream allows it.

    Args:
        cell: what to run.
        params: its parameters, from ``cell.init``; arrays, not tracers.
        batch: the batch axes *B of the inputs: how many streams advance together.
        steps: how many steps one call takes.
        resets: whether calls also take resets (steps, *B).
        mask: whether calls also take a mask (steps, *B).
        dt: whether calls also take the elapsed times dt (steps, *B), for cells that use them; without, they are 1.
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

    def function(state: State, xs: Array, given: dict[str, Any]) -> tuple[Array, State]:
        return run_prepared(cell, ready, xs, state, **given)

    one = cell.initial_state(ready)
    first = jax.tree.map(lambda a: jnp.broadcast_to(a, (*batch, *a.shape)), one)
    size = cell.input_size_of(features)
    shape = (size,) if cell.feature_axes == 1 else size
    xs = jax.ShapeDtypeStruct((steps, *batch, *shape), floating)
    return _compile(function, first, xs, _controls(cell, (steps, *batch), floating, resets, mask, dt))


def make_model_stepper(
    model: Model,
    params: PyTree,
    *,
    streams: int = 1,
    steps: int = 1,
    resets: bool = False,
    mask: bool = False,
    dt: bool = False,
    dtype: Dtype | None = None,
    check_tokens: bool = True,
) -> Stepper:
    """The same for a whole network: tokens (steps, B) or vectors (steps, B, I) to outputs (steps, B, O), or to outputs
    (B, O) of the last step where the model reads the last one. B is `streams`; other arguments as in `make_stepper`.

    `check_tokens`: whether each call checks that the model has such tokens, for which it waits for those that are still
    being computed. JAX itself clamps them, or reads zeros, without a word.

    Raises:
        UsageError (a ValueError): a bidirectional model, which reads whole sequences, parameters that do not fit the
            model, or no steps.
    """
    if model.stack.bidirectional:
        raise UsageError("a bidirectional stack reads whole sequences; accepted for a stream: one direction")
    if not _is_count(streams):
        raise UsageError(f"streams is {streams!r}; accepted: an integer >= 0")
    floating = _check_steps(steps, dtype)
    model.check_params(params)
    ready = jax.jit(model.prepare)(params)

    def function(state: State, xs: Array, given: dict[str, Any]) -> tuple[Array, State]:
        return model.apply_prepared(ready, xs, state, **given)

    first = jax.tree.map(jnp.copy, model.initial_state_prepared(ready, streams))
    floats = jax.ShapeDtypeStruct((steps, streams, model.input_size), floating)
    xs = jax.ShapeDtypeStruct((steps, streams), jnp.int32) if model.tokens else floats
    cell = next((cell for cell, _ in model.cells if cell.uses_dt), model.cell)
    stepper = _compile(function, first, xs, _controls(cell, (steps, streams), floating, resets, mask, dt))
    return dataclasses.replace(stepper, symbols=model.input_size if model.tokens and check_tokens else None)


def _controls(cell: Cell, shape: Any, floating: Any, resets: bool, mask: bool, dt: bool) -> dict[str, Any]:
    """Shapes of the controls that were asked for."""
    if dt and not cell.uses_dt:
        raise UsageError(f"dt is True, but {type(cell).__name__} has no use for it; accepted: cells with uses_dt")
    dtypes = {"resets": jnp.bool_, "mask": jnp.bool_, "dt": floating}
    asked = {"resets": resets, "mask": mask, "dt": dt}
    return {name: jax.ShapeDtypeStruct(shape, dtypes[name]) for name, wanted in asked.items() if wanted}


def _compile(function: Callable[..., Any], first: State, xs: jax.ShapeDtypeStruct, controls: dict[str, Any]) -> Stepper:
    state = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), first)
    compiled = jax.jit(function, donate_argnums=0).lower(state, xs, controls).compile()
    return Stepper(compiled, {"state": state, "xs": xs, **controls}, first)


def _counts(mask: Any, xs: Any) -> Any:
    """The mask if it has the shape of xs; any other is refused by the compiled program."""
    return mask if mask is not None and np.shape(mask) == np.shape(xs) else None


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


def _input_size(cell: Cell, params: Params) -> int:
    """The number of input features I, along the last axis, that parameters are for: one of their own dimensions, or
    the inputs of all blocks of a weight (blocks, rows, inputs); and what the cell takes from an earlier layer."""
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(params)]
    sizes = sorted({size + cell.takes for shape in shapes for size in shape if size})
    blocks = sorted({shape[0] * shape[2] + cell.takes for shape in shapes if len(shape) == 3} - {*sizes, cell.takes})
    for size in [*sizes[:-1], *blocks]:
        try:
            check_params(cell, params, cell.input_size_of(size))
        except UsageError:
            continue
        return size
    check_params(cell, params, cell.input_size_of(sizes[-1] if sizes else 1))
    return sizes[-1]


def _shapes(tree: PyTree) -> str:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return ", ".join(f"{jax.tree_util.keystr(p)} {jnp.result_type(a)} of {np.shape(a)}".strip() for p, a in leaves)


__all__ = ["Stepper", "make_model_stepper", "make_stepper"]
