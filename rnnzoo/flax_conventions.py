"""What the Flax faces share, without Flax: its conventions for sequences and cells, in terms of `rnnzoo.run`."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.run import run
from rnnzoo.spec import UsageError
from rnnzoo.typing import Array, Float, Int, Key, Params, PyTree, State
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.loop import Loop

Partition = Callable[[str, tuple[int, ...]], tuple[str | None, ...] | None]
"""From the name of a parameter, such as "w.i", and its shape to the mesh axes of its dimensions; None: no metadata."""


def sequence(
    cell: Cell,
    params: Params,
    inputs: Float[Array, "..."],
    *,
    unroll: Unroll,
    initial_carry: State | None = None,
    seq_lengths: Int[Array, " *B"] | None = None,
    time_major: bool = False,
    reverse: bool = False,
    keep_order: bool = False,
    resets: Array | None = None,
    dt: Array | None = None,
    key: Key | None = None,
) -> tuple[State, Float[Array, "..."]]:
    """The carry after the last step and the outputs, with the arguments of Flax's ``RNN.__call__``; `resets`, `dt` and
    `key` are those of `rnnzoo.run`, the first two in the layout of `inputs` without its last axis.

    Raises:
        UsageError (a ValueError): inputs without a time axis, and all that `rnnzoo.run` refuses.
    """
    inputs = jnp.asarray(inputs)
    if inputs.ndim < 2:
        layout = "(T, *batch, I)" if time_major else "(*batch, T, I)"
        raise UsageError(f"inputs has shape {inputs.shape}; accepted: {layout}")
    xs = inputs if time_major else jnp.moveaxis(inputs, -2, 0)
    if not time_major:
        resets, dt = (None if a is None else jnp.moveaxis(jnp.asarray(a), -1, 0) for a in (resets, dt))
    ys, last = run(
        cell, params, xs, initial_carry, lengths=seq_lengths, resets=resets, dt=dt, reverse=reverse, key=key,
        unroll=unroll,
    )  # fmt: skip
    if reverse and not keep_order:
        ys = _in_order_of_running(ys, seq_lengths)
    return last, ys if time_major else jnp.moveaxis(ys, 0, -2)


def _in_order_of_running(ys: Float[Array, "T *B O"], lengths: Array | None) -> Float[Array, "T *B O"]:
    """Outputs of a reversed run, the step that ran first as the first; padding stays at the end."""
    if lengths is None:
        return jnp.flip(ys, 0)
    time = ys.shape[0]
    steps = jnp.arange(time).reshape(time, *[1] * (ys.ndim - 2))
    source = (jnp.asarray(lengths) - 1 - steps) % max(time, 1)  # past the length: any step that is padding
    return jnp.take_along_axis(ys, source[..., None], 0)


def one_step(cell: Cell, params: Params, carry: State, inputs: Float[Array, "*B I"]) -> tuple[State, Array]:
    """The carry after one step, in the dtypes of the one before unless the cell needs wider, and the output."""
    ys, last = run(cell, params, jnp.asarray(inputs)[None], carry, unroll=Loop())
    return jax.tree.map(
        lambda new, old: new.astype(jnp.promote_types(new.dtype, jnp.result_type(old))), last, carry
    ), ys[0]


def first_carry(cell: Cell, params: Params, input_shape: tuple[int, ...]) -> State:
    """The carry before the first step, of leaves (*B, ...), for inputs (*B, I) of one step."""
    state = cell.initial_state(cell.prepare(params))
    return jax.tree.map(lambda a: jnp.broadcast_to(a, (*input_shape[:-1], *a.shape)), state)


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


__all__ = ["Partition", "boxed", "first_carry", "name_of", "one_step", "sequence"]
