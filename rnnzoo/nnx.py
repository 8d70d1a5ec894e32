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
from flax import nnx

from rnnzoo.arguments import require_cell
from rnnzoo.cells.base import Cell
from rnnzoo.cells.noise import Noisy
from rnnzoo.flax_conventions import Partition, boxed, first_carry, one_step, sequence
from rnnzoo.spec import UsageError
from rnnzoo.typing import Array, Float, Int, Key, Params, PyTree, State
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.scan import Scan


class RNN(nnx.Module):
    """`cell` over whole sequences, with the call signature of ``flax.nnx.RNN`` and the speed of `rnnzoo.run`.

    Unlike Flax's: outputs past a sequence's length are zero, a length of 0 returns the initial carry, lengths may have
    any number of batch axes, and the carry with lengths costs no memory over time."""

    def __init__(
        self,
        cell: Cell,
        in_features: int,
        *,
        rngs: nnx.Rngs,
        unroll: Unroll = Scan(),  # noqa: B008 (a frozen specification)
        time_major: bool = False,
        return_carry: bool = False,
        reverse: bool = False,
        keep_order: bool = False,
        deterministic: bool = False,
        partition: Partition | None = None,
    ) -> None:
        """Draw the parameters.

        Args:
            cell: what to run: a specification from `rnnzoo.cells` or `rnnzoo.wrappers`.
            in_features: number of input features I.
            rngs: its stream "params" draws the parameters; nothing of it is kept.
            unroll: how to compute it.
            time_major: inputs (T, *B, I) instead of (*B, T, I).
            return_carry: return ``(carry, outputs)`` instead of the outputs.
            reverse: run from the last step to the first.
            keep_order: after a reversed run, return outputs in the order of the inputs, not in that of running.
            deterministic: no training noise (zoneout, ...) even where a call gets `rngs`; ``model.eval()`` sets it.
            partition: from a parameter's name ("w.i") and shape to its mesh axes, kept with it as ``out_sharding``.
        """
        self.cell, self.unroll = cell, unroll
        self.time_major, self.return_carry = time_major, return_carry
        self.reverse, self.keep_order = reverse, keep_order
        self.deterministic = deterministic
        self.params = nnx.data(_variables(cell, in_features, rngs, partition))

    def __call__(
        self,
        inputs: Float[Array, "..."],
        *,
        initial_carry: State | None = None,
        seq_lengths: Int[Array, " *B"] | None = None,
        return_carry: bool | None = None,
        time_major: bool | None = None,
        reverse: bool | None = None,
        keep_order: bool | None = None,
        rngs: nnx.Rngs | nnx.RngStream | None = None,
        resets: Array | None = None,
        dt: Array | None = None,
    ) -> Any:
        """Outputs (*B, T, O), or ``(carry, outputs)``. A flag given here goes before that of the module.

        Args:
            inputs: (*B, T, I), or (T, *B, I) if `time_major`; any number of batch axes *B.
            initial_carry: the state before the first step, leaves (*B, H) or (H,); None: ``cell.initial_state``.
            seq_lengths: (*B,), from 0 to T.
            return_carry: see the module.
            time_major: see the module.
            reverse: see the module.
            keep_order: see the module.
            rngs: draws the training noise of cells that have any, from the stream "dropout"; others ignore it.
            resets: (*B, T), True where the state starts anew before the step; time first if `time_major`.
            dt: (*B, T), the time since the step before, for cells that use it; time first if `time_major`.

        Raises:
            UsageError (a ValueError): a wrong shape or dtype, or a cell that the unroll cannot run.
        """
        # No key is drawn without need: each one changes the stream.
        is_noisy = isinstance(self.cell, Noisy) and not self.deterministic
        carry, outputs = sequence(
            self.cell,
            _values(self.params),
            inputs,
            unroll=self.unroll,
            initial_carry=initial_carry,
            seq_lengths=seq_lengths,
            time_major=self.time_major if time_major is None else time_major,
            reverse=self.reverse if reverse is None else reverse,
            keep_order=self.keep_order if keep_order is None else keep_order,
            resets=resets,
            dt=dt,
            key=None if rngs is None or not is_noisy else _key(rngs, "dropout"),
        )
        return_carry = self.return_carry if return_carry is None else return_carry
        return (carry, outputs) if return_carry else outputs


class RNNCell(nnx.RNNCellBase):
    """One step of `cell`, for ``nnx.RNN`` and code that expects Flax's cells. `RNN` is faster: here the input
    projection and what is computed from parameters alone run at every step.

    The carry is the state of `cell`, a dict. Without training noise, which is drawn for whole sequences; the elapsed
    time of cells that use it is 1."""

    def __init__(self, cell: Cell, in_features: int, *, rngs: nnx.Rngs, partition: Partition | None = None) -> None:
        """Draw the parameters; arguments as in `RNN`."""
        self.cell = cell
        self.params = nnx.data(_variables(cell, in_features, rngs, partition))

    def __call__(self, carry: State, inputs: Float[Array, "*B I"]) -> tuple[State, Float[Array, "*B O"]]:
        """The new carry, and the output (*B, O).

        Raises:
            UsageError (a ValueError): a wrong shape or dtype.
        """
        return one_step(self.cell, _values(self.params), carry, inputs)

    def initialize_carry(
        self,
        input_shape: tuple[int, ...],
        rngs: nnx.Rngs | nnx.RngStream | None = None,
        carry_init: Callable[..., Array] | None = None,
    ) -> State:
        """The carry before the first step, leaves (*B, H), for inputs of shape `input_shape` (*B, I) at one step.
        `rngs` serves `carry_init` only, an initializer ``(key, shape, dtype)``; None: ``cell.initial_state``.

        Raises:
            UsageError (a ValueError): `carry_init` without `rngs`.
        """
        carry = first_carry(self.cell, _values(self.params), input_shape)
        if carry_init is None:
            return carry
        if rngs is None:
            raise UsageError("carry_init is given and rngs is None; accepted: both, or neither")
        return jax.tree.map(lambda a: carry_init(_key(rngs, "carry"), a.shape, a.dtype), carry)

    @property
    def num_feature_axes(self) -> int:
        """1: an input is a vector."""
        return 1


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


def _variables(cell: Cell, in_features: int, rngs: nnx.Rngs, partition: Partition | None) -> PyTree:
    """Each new parameter in an ``nnx.Param`` of its own."""
    require_cell(cell)
    if in_features < 1:
        raise UsageError(f"in_features is {in_features}; accepted: 1 or more")
    params = cell.init(rngs.params(), in_features)
    box = lambda value, names: nnx.Param(value) if names is None else nnx.Param(value, out_sharding=names)  # noqa: E731
    return boxed(params, partition, box)


def _values(params: PyTree) -> Params:
    """The arrays in the variables."""
    return jax.tree.map(lambda v: v[...], params, is_leaf=_is_variable)


def _key(rngs: nnx.Rngs | nnx.RngStream, name: str) -> Key:
    """The next key of a stream, or of the stream of that name."""
    return rngs() if isinstance(rngs, nnx.RngStream) else getattr(rngs, name)()


__all__ = ["RNN", "RNNCell", "get_params", "set_params"]
