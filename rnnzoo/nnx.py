"""Flax NNX modules around a cell: `RNN` for whole sequences, `RNNCell` for Flax's own wrappers.

>>> import jax, rnnzoo, rnnzoo.nnx
>>> from flax import nnx
>>> cell = rnnzoo.cells.LSTM(hidden_size=8, structure=rnnzoo.structures.Banded(bandwidth=1))
>>> rnn = rnnzoo.nnx.RNN(cell, in_features=3, rngs=nnx.Rngs(0))
>>> rnn(jax.numpy.ones((2, 5, 3))).shape  # (B, T, I) -> (B, T, H)
(2, 5, 8)

Parameters are those of ``cell.init``, under the same names, in ``rnn.params``: ``rnn.params["w"]["i"]`` is an
``nnx.Param``. Modules hold no random state and share no references.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from rnnzoo.arguments import require_cell
from rnnzoo.cells.base import Cell
from rnnzoo.cells.noise import Noisy
from rnnzoo.flax_conventions import CarryForm, Partition, boxed, first_carry, one_step, sequence
from rnnzoo.spec import UsageError
from rnnzoo.typing import Array, Float, Key, Params, PyTree
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.scan import Scan


class RNN(nnx.Module):
    """`cell` over whole sequences, with the call signature of ``flax.nnx.RNN`` and the speed of `rnnzoo.run`.

    Unlike Flax's: outputs past a sequence's length are zero, a length of 0 returns the initial carry, lengths may have
    any number of batch axes, and the carry with lengths costs no memory over time."""

    def __init__(
        self,
        cell: Cell,
        in_features: int | tuple[int, ...],
        *,
        rngs: nnx.Rngs,
        unroll: Unroll = Scan(),  # noqa: B008 (a frozen specification)
        time_major: bool = False,
        return_carry: bool = False,
        reverse: bool = False,
        keep_order: bool = False,
        deterministic: bool = False,
        carry: CarryForm = "state",
        partition: Partition | None = None,
    ) -> None:
        """Draw the parameters.

        Args:
            cell: what to run: a specification from `rnnzoo.cells` or `rnnzoo.wrappers`.
            in_features: number of input features I; their shape, for cells with several feature axes.
            rngs: its stream "params" draws the parameters; nothing of it is kept.
            unroll: how to compute it.
            time_major: inputs (T, *B, I) instead of (*B, T, I).
            return_carry: return ``(carry, outputs)`` instead of the outputs.
            reverse: run from the last step to the first.
            keep_order: after a reversed run, return outputs in the order of the inputs, not in that of running.
            deterministic: no training noise (zoneout, ...) even where a call gets `rngs`; ``model.eval()`` sets it.
            carry: the form of carries: "state", the cell's state, a dict; "flax", a tuple (c, h) or an array h, as
                in Flax's cells.
            partition: from a parameter's name ("w.i") and shape to its mesh axes, kept with it as ``out_sharding``.
        """
        self.cell, self.unroll = cell, unroll
        self.time_major, self.return_carry = time_major, return_carry
        self.reverse, self.keep_order = reverse, keep_order
        self.deterministic = deterministic
        self.carry: CarryForm = carry
        self.params = nnx.data(_variables(cell, in_features, rngs, partition))

    def __call__(
        self,
        inputs: Any,
        *,
        initial_carry: Any = None,
        seq_lengths: Any = None,
        return_carry: bool | None = None,
        time_major: bool | None = None,
        reverse: bool | None = None,
        keep_order: bool | None = None,
        rngs: nnx.Rngs | nnx.RngStream | None = None,
        carry: CarryForm | None = None,
        mask: Any = None,
        resets: Any = None,
        dt: Any = None,
        states: bool = False,
    ) -> Any:
        """Outputs (*B, T, O), or ``(carry, outputs)``; with `states`, the states of all steps are one more result. A
        flag given here takes precedence over that of the module.

        Args:
            inputs: (*B, T, I), or (T, *B, I) if `time_major`; any number of batch axes *B. Integers and booleans are
                cast to the compute dtype.
            initial_carry: the state before the first step, leaves (*B, H) or (H,), in the form that `carry` says; None:
                ``cell.initial_state``.
            seq_lengths: (*B,), integers from 0 to T; an array or a list.
            return_carry: see the module.
            time_major: see the module.
            reverse: see the module.
            keep_order: see the module.
            rngs: draws the training noise of cells that have any, from the stream "dropout"; others ignore it.
            carry: see the module.
            mask: (*B, T), False where a step is skipped: its output is zero, and it leaves the state as it is; (T, *B)
                if `time_major`, as `resets` and `dt`.
            resets: (*B, T), True where the state starts anew before the step.
            dt: (*B, T), the time since the step before, for cells that use it.
            states: also return the state after every step, leaves (*B, T, ...), or (T, *B, ...) if `time_major`.

        Raises:
            UsageError (a ValueError): a wrong shape or dtype, or a cell that the unroll cannot run.
        """
        # No key is drawn without need: each one changes the stream.
        is_noisy = isinstance(self.cell, Noisy) and not self.deterministic
        return sequence(
            self.cell,
            _values(self.params),
            inputs,
            unroll=self.unroll,
            carry=self.carry if carry is None else carry,
            initial_carry=initial_carry,
            seq_lengths=seq_lengths,
            return_carry=self.return_carry if return_carry is None else return_carry,
            time_major=self.time_major if time_major is None else time_major,
            reverse=self.reverse if reverse is None else reverse,
            keep_order=self.keep_order if keep_order is None else keep_order,
            mask=mask,
            resets=resets,
            dt=dt,
            states=states,
            key=None if rngs is None or not is_noisy else _key(rngs, "dropout"),
        )


class RNNCell(nnx.RNNCellBase):
    """One step of `cell`, for ``nnx.RNN`` and code that expects Flax's cells. `RNN` is faster: here the input
    projection and what is computed from parameters alone run at every step.

    There is no training noise, which is drawn for whole sequences. Flax's wrappers pass no
    elapsed time: it is 1 then, for cells that use it."""

    def __init__(
        self,
        cell: Cell,
        in_features: int | tuple[int, ...],
        *,
        rngs: nnx.Rngs,
        carry: CarryForm = "state",
        partition: Partition | None = None,
    ) -> None:
        """Draw the parameters; arguments as in `RNN`."""
        self.cell = cell
        self.carry: CarryForm = carry
        self.params = nnx.data(_variables(cell, in_features, rngs, partition))

    def __call__(self, carry: Any, inputs: Any, dt: Any = None) -> tuple[Any, Float[Array, "*B O"]]:
        """The new carry, and the output (*B, O). dt (*B) is the time since the step before, for cells that use it.

        Raises:
            UsageError (a ValueError): a wrong shape or dtype.
        """
        return one_step(self.cell, _values(self.params), carry, inputs, self.carry, dt)

    def initialize_carry(
        self,
        input_shape: tuple[int, ...],
        rngs: nnx.Rngs | nnx.RngStream | None = None,
        carry_init: Callable[..., Array] | None = None,
    ) -> Any:
        """The carry before the first step, leaves (*B, H), for inputs of shape `input_shape` (*B, I) at one step.
        `rngs` serves `carry_init` only, an initializer ``(key, shape, dtype)``; None: ``cell.initial_state``.

        Raises:
            UsageError (a ValueError): `carry_init` without `rngs`.
        """
        params = _values(self.params)
        if carry_init is None:
            return first_carry(self.cell, params, input_shape, self.carry)
        if rngs is None:
            raise UsageError("carry_init is given and rngs is None; accepted: both, or neither")
        draw = lambda leaf: carry_init(_key(rngs, "carry"), leaf.shape, leaf.dtype)  # noqa: E731
        return first_carry(self.cell, params, input_shape, self.carry, draw)

    @property
    def num_feature_axes(self) -> int:
        """The number of axes of one input: 1 for a vector."""
        return self.cell.feature_axes


def get_params(module: "RNN | RNNCell") -> Params:
    """The parameters as plain arrays, in the tree that ``cell.init`` returns and `rnnzoo.run` takes.

    ``nnx.to_pure_dict`` gives the same where all of the tree is dicts; tuples, such as those of `Kronecker`, become
    dicts there, and what has no parameters is left out."""
    return _values(module.params)


def set_params(module: "RNN | RNNCell", params: Params) -> None:
    """Put in parameters such as those of ``cell.init`` or of the Linen module, as they are; metadata stays.

    Raises:
        UsageError (a ValueError): another tree, or other shapes, than the cell has.
    """
    have, given = (jax.tree.map(jnp.shape, tree) for tree in (get_params(module), params))
    if given != have:
        raise UsageError(f"params of {type(module.cell).__name__} are {given}; accepted: {have}")
    variables = jax.tree.leaves(module.params, is_leaf=_is_variable)
    for variable, new in zip(variables, jax.tree.leaves(params), strict=True):
        variable[...] = jnp.asarray(new)


def _is_variable(value: Any) -> bool:
    return isinstance(value, nnx.Variable)


def _variables(cell: Cell, in_features: int | tuple[int, ...], rngs: nnx.Rngs, partition: Partition | None) -> PyTree:
    """Each new parameter in an ``nnx.Param`` of its own."""
    require_cell(cell)
    sizes = in_features if isinstance(in_features, tuple) else (in_features,)
    if len(sizes) != cell.feature_axes or not all(isinstance(s, (int, np.integer)) and s >= 1 for s in sizes):
        each = "1 or more" if cell.feature_axes == 1 else f"{cell.feature_axes} numbers, each 1 or more"
        raise UsageError(f"in_features is {in_features}; accepted: {each}")
    input_size: Any = sizes[0] if cell.feature_axes == 1 else sizes
    params = cell.init(rngs.params(), input_size)
    box = lambda value, names: nnx.Param(value) if names is None else nnx.Param(value, out_sharding=names)  # noqa: E731
    return boxed(params, partition, box)


def _values(params: PyTree) -> Params:
    """The arrays in the variables."""
    return jax.tree.map(lambda v: v[...], params, is_leaf=_is_variable)


def _key(rngs: nnx.Rngs | nnx.RngStream, name: str) -> Key:
    """The next key of a stream, or of the stream of that name."""
    return rngs() if isinstance(rngs, nnx.RngStream) else getattr(rngs, name)()


__all__ = ["RNN", "RNNCell", "get_params", "set_params"]
