"""What the Flax faces share, without Flax: its conventions for sequences and cells, in terms of `rnnzoo.run`."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.arguments import as_array, expected_params, require_cell
from rnnzoo.cells.base import Cell
from rnnzoo.run import run
from rnnzoo.spec import UsageError, suggest
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.loop import Loop

Partition = Callable[[str, tuple[int, ...]], tuple[str | None, ...] | None]
"""From the name of a parameter, such as "w.i", and its shape to the mesh axes of its dimensions; None: no metadata."""
CarryForm = Literal["state", "flax"]
"""The form of a carry: "state", the dict that is the cell's state; "flax", as Flax's cells have it: an array h, or a
tuple (c, h)."""


def sequence(
    cell: Cell, params: Params, inputs: Any, *, unroll: Unroll, carry: CarryForm = "state", initial_carry: Any = None,
    seq_lengths: Any = None, return_carry: bool = False, time_major: bool = False, reverse: bool = False,
    keep_order: bool = False, mask: Any = None, resets: Any = None, dt: Any = None, states: bool = False,
    key: Key | None = None,
) -> Any:  # fmt: skip
    """What Flax's ``RNN.__call__`` returns for its arguments: outputs, or ``(carry, outputs)``. `mask`, `resets`, `dt`,
    `states` and `key` are those of `rnnzoo.run`; the first three are in the layout of `inputs` without its features.
    With `states`, the states after all steps come last, in the layout of the outputs and the form of the carry.

    Raises:
        UsageError (a ValueError): inputs without a time axis, a carry in another form, or what `rnnzoo.run` refuses.
    """
    inputs, size = _floating(cell, params, inputs), features_of(cell, jnp.shape(inputs))
    batch = inputs.ndim - 1 - cell.feature_axes
    if batch < 0:
        layout = ", ".join(["T, *batch" if time_major else "*batch, T", *_feature_letters(cell)])
        raise UsageError(f"inputs has shape {inputs.shape}; accepted: ({layout})")
    initial = None if initial_carry is None else _as_state(cell, size, carry, initial_carry)
    lengths = None if seq_lengths is None else as_array(seq_lengths)
    mask, resets, dt = (
        None if value is None else _time_first(name, value, inputs.shape[: batch + 1], time_major)
        for name, value in (("mask", mask), ("resets", resets), ("dt", dt))
    )
    ys, last, *kept = run(
        cell, params, inputs if time_major else jnp.moveaxis(inputs, batch, 0), initial, lengths=lengths, mask=mask,
        resets=resets, dt=dt, reverse=reverse, key=key, unroll=unroll, states=states,
    )  # fmt: skip
    if reverse and not keep_order:
        order = functools.partial(_in_order_of_running, lengths=lengths, batch=batch)
        ys, kept = order(ys), jax.tree.map(functools.partial(order, hold=True), kept)
    if not time_major:
        ys, kept = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, batch), (ys, kept))
    last, *kept = (_in_form(cell, size, carry, state) for state in (last, *kept))
    results = ((last, ys) if return_carry else (ys,)) + tuple(kept)
    return results if len(results) > 1 else ys


def _time_first(name: str, value: Any, shape: tuple[int, ...], time_major: bool) -> Any:
    value = as_array(value)
    if np.shape(value) != shape:
        raise UsageError(f"{name} has shape {np.shape(value)}; accepted: {shape}, as inputs without its features")
    return value if time_major else jnp.moveaxis(value, -1, 0)


def _in_order_of_running(leaf: Array, lengths: Any, batch: int, hold: bool = False) -> Array:
    """What a reversed run gave at each step, (T, *B, ...), the step that ran first as the first. Padding stays at the
    end; what it holds is zeros, or the last state for states (`hold`)."""
    if lengths is None:
        return jnp.flip(leaf, 0)
    time = leaf.shape[0]
    source = jnp.asarray(lengths, int) - 1 - jnp.arange(time).reshape(time, *[1] * batch)
    # Past the length: the step that ran last, or any step that is padding.
    source = jnp.maximum(source, 0) if hold else source % max(time, 1)
    return jnp.take_along_axis(leaf, source.reshape(*source.shape, *[1] * (leaf.ndim - source.ndim)), 0)


# ---- inputs ----------------------------------------------------------------------------------------------


def features_of(cell: Cell, shape: tuple[int, ...]) -> Any:
    """The input size that `cell.init` takes, from the shape of inputs: a number, or a tuple for several feature axes.

    Raises:
        UsageError (a ValueError): too few axes, or `cell` is not a specification of a cell.
    """
    require_cell(cell)
    if len(shape) < cell.feature_axes:
        letters = ", ".join(["*batch", *_feature_letters(cell)])
        raise UsageError(f"inputs has shape {tuple(shape)}; accepted: ({letters}) at every step")
    return shape[-1] if cell.feature_axes == 1 else tuple(shape[-cell.feature_axes :])


def _feature_letters(cell: Cell) -> list[str]:
    return ["I"] if cell.feature_axes == 1 else [f"I_{k}" for k in range(cell.feature_axes)]


def _floating(cell: Cell, params: Params, inputs: Any) -> Array:
    """Inputs as an array; integers and booleans in the compute dtype, as Flax's cells take them."""
    if not isinstance(inputs, np.ndarray):  # numpy's large int64 are exact until they become floating point
        inputs = jnp.asarray(inputs)
    if jnp.issubdtype(inputs.dtype, jnp.floating):
        return jnp.asarray(inputs)
    if not (jnp.issubdtype(inputs.dtype, jnp.integer) or inputs.dtype == bool):
        raise UsageError(f"inputs is {inputs.dtype}; accepted: floating point, integers, or booleans")
    dtypes = [leaf.dtype for leaf in jax.tree.leaves(params) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return jnp.asarray(inputs, cell.dtype or jnp.result_type(*dtypes or [jnp.float32]))


# ---- carries ---------------------------------------------------------------------------------------------


def one_step(
    cell: Cell, params: Params, carry: Any, inputs: Any, form: CarryForm = "state", dt: Any = None
) -> tuple[Any, Float[Array, "*B O"]]:
    """The carry after one step, in the dtypes of the one before unless the cell needs wider, and the output. dt (*B) is
    the time since the step before."""
    inputs, size = _floating(cell, params, inputs), features_of(cell, jnp.shape(inputs))
    state = _as_state(cell, size, form, carry)
    times = None if dt is None else jnp.asarray(as_array(dt))[None]
    ys, last = run(cell, params, inputs[None], state, dt=times, unroll=Loop())
    last = jax.tree.map(lambda new, old: new.astype(jnp.promote_types(new.dtype, jnp.result_type(old))), last, state)
    return _in_form(cell, size, form, last), ys[0]


def first_carry(
    cell: Cell,
    params: Params,
    input_shape: tuple[int, ...],
    form: CarryForm = "state",
    draw: Callable[[Array], Array] = lambda leaf: leaf,
) -> Any:
    """The carry before the first step, of leaves (*B, ...), for inputs (*B, I) of one step; each through `draw`."""
    size, batch = features_of(cell, input_shape), tuple(input_shape[: len(input_shape) - cell.feature_axes])
    state = cell.initial_state(cell.prepare(params))
    state = jax.tree.map(lambda a: draw(jnp.broadcast_to(a, (*batch, *a.shape))), state)
    return _in_form(cell, size, form, state)


def _in_form(cell: Cell, input_size: Any, form: CarryForm, state: State) -> Any:
    """The carry that stands for a state."""
    if form not in get_args(CarryForm):
        raise UsageError(f"carry is {form!r}; {suggest(str(form), get_args(CarryForm))}")
    if form == "state":
        return state
    names = _flax_names(cell, input_size)
    return state["h"] if names == ("h",) else tuple(state[name] for name in names)


def _as_state(cell: Cell, input_size: Any, form: CarryForm, carry: Any) -> State:
    """The state that a carry stands for."""
    if form == "flax":
        names = _flax_names(cell, input_size)
        if names == ("h",) and hasattr(carry, "shape"):
            return {"h": carry}
        if names != ("h",) and isinstance(carry, (tuple, list)) and len(carry) == len(names):
            return dict(zip(names, carry, strict=True))
    elif isinstance(carry, Mapping):
        return dict(carry)
    raise UsageError(
        f"the carry given to {type(cell).__name__} is {_described(carry)}; accepted: {_accepted(cell, input_size)}"
    )


def _described(carry: Any) -> str:
    if isinstance(carry, Mapping):
        return f"a dict of {', '.join(map(str, carry))}"
    kind = "an array" if hasattr(carry, "shape") else f"a {type(carry).__name__}"
    return f"{kind} of {len(carry)}" if isinstance(carry, (tuple, list)) else kind


def _accepted(cell: Cell, input_size: Any) -> str:
    words = f'a dict of {", ".join(_state_shapes(cell, input_size))} with carry="state" (the default)'
    try:
        names = _flax_names(cell, input_size)
    except UsageError:
        return words
    flax = "the array h" if names == ("h",) else f"a tuple ({', '.join(names)})"
    return f'{words}, {flax} with carry="flax"'


def _flax_names(cell: Cell, input_size: Any) -> tuple[str, ...]:
    """The entries of a state in the order that Flax's carry has them: h alone, or c and h."""
    shapes = _state_shapes(cell, input_size)
    for names in (("h",), ("c", "h")):
        if set(shapes) == set(names) and len({str(shape) for shape in shapes.values()}) == 1:
            return names
    has = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    raise UsageError(
        f'carry is "flax", but Flax has no form for the state of {type(cell).__name__}, which has {has}; '
        'accepted: carry="state", or a cell with a state of h alone, or of c and h of one shape'
    )


@functools.lru_cache(maxsize=256)
def _state_shapes(cell: Cell, input_size: Any) -> dict[str, Any]:
    """The entries of the state of one sequence, and their shapes."""
    state = jax.eval_shape(lambda params: cell.initial_state(cell.prepare(params)), expected_params(cell, input_size))
    return jax.tree.map(lambda leaf: leaf.shape, state)


# ---- parameters ------------------------------------------------------------------------------------------


def name_of(path: Any) -> str:
    """The public name of a parameter, as in the golden files: "w.i", "u.h.a"."""
    return jax.tree_util.keystr(path, simple=True, separator=".")


def boxed(params: Params, partition: Partition | None, box: Callable[[Array, Any], PyTree]) -> PyTree:
    """Parameters, each through ``box(value, mesh axes or None)``.

    Raises:
        UsageError (a ValueError): `partition` gives another number of axes than a parameter has.
    """

    def put(path, value):
        names = None if partition is None else partition(name_of(path), value.shape)
        if names is not None and len(names) != value.ndim:
            raise UsageError(f"partition gives {names!r} for {name_of(path)} of {value.shape}; accepted: one per axis")
        return box(value, names)

    return jax.tree_util.tree_map_with_path(put, params)


__all__ = ["CarryForm", "Partition", "boxed", "features_of", "first_carry", "name_of", "one_step", "sequence"]
