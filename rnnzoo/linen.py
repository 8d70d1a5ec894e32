"""Flax Linen modules around a cell: `RNN` for whole sequences, `RNNCell` for Flax's own wrappers.

>>> import jax, rnnzoo, rnnzoo.linen
>>> rnn = rnnzoo.linen.RNN(rnnzoo.cells.LSTM(hidden_size=8, structure=rnnzoo.structures.Banded(bandwidth=1)))
>>> variables = rnn.init(jax.random.key(0), jax.numpy.ones((2, 5, 3)))  # (B, T, I)
>>> rnn.apply(variables, jax.numpy.ones((2, 5, 3))).shape, sorted(variables["params"])
((2, 5, 8), ['b', 'u', 'w'])

Parameters are those of ``cell.init``, under the same names: ``rnnzoo.run(cell, variables["params"], xs)`` runs them.
"""

from typing import Any

import flax.core
import flax.linen as nn
import jax
import jax.numpy as jnp

from rnnzoo.arguments import expected_params
from rnnzoo.cells.base import Cell
from rnnzoo.cells.noise import Noisy
from rnnzoo.flax_conventions import CarryForm, Partition, boxed, features_of, first_carry, one_step, sequence
from rnnzoo.typing import Array, Float, Key, Params
from rnnzoo.unrolls.base import Unroll
from rnnzoo.unrolls.scan import Scan


class RNN(nn.Module):
    """`cell` over whole sequences, with the call signature of ``flax.linen.RNN`` and the speed of `rnnzoo.run`.

    Unlike Flax's: outputs past a sequence's length are zero, a length of 0 returns the initial carry, lengths may have
    any number of batch axes, and the carry with lengths costs no memory over time."""

    cell: Cell
    """What to run: a specification from `rnnzoo.cells` or `rnnzoo.wrappers`."""
    unroll: Unroll = Scan()
    """How to compute it."""
    time_major: bool = False
    """Inputs (T, *B, I) instead of (*B, T, I)."""
    return_carry: bool = False
    """Return ``(carry, outputs)`` instead of the outputs."""
    reverse: bool = False
    """Run from the last step to the first."""
    keep_order: bool = False
    """After a reversed run, return outputs in the order of the inputs, not in that of running."""
    deterministic: bool = False
    """No training noise (zoneout, recurrent dropout, ...) even where an rng named "dropout" is given."""
    partition: Partition | None = None
    """From a parameter's name ("w.i") and shape to its mesh axes, kept with it as ``nn.Partitioned``."""
    carry: CarryForm = "state"
    """Form of carries: "state", the cell's state, a dict; "flax", a tuple (c, h) or an array h, as in Flax's cells."""

    @nn.compact
    def __call__(
        self,
        inputs: Any,
        *,
        initial_carry: Any = None,
        init_key: Key | None = None,
        seq_lengths: Any = None,
        return_carry: bool | None = None,
        time_major: bool | None = None,
        reverse: bool | None = None,
        keep_order: bool | None = None,
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
            init_key: accepted as by Flax, and not used: the initial state of a cell is not random.
            seq_lengths: (*B,), integers from 0 to T; an array or a list.
            return_carry: see the module.
            time_major: see the module.
            reverse: see the module.
            keep_order: see the module.
            carry: see the module.
            mask: (*B, T), False where a step is skipped: its output is zero, and it leaves the state as it is; (T, *B)
                if `time_major`, as `resets` and `dt`.
            resets: (*B, T), True where the state starts anew before the step.
            dt: (*B, T), the time since the step before, for cells that use it.
            states: also return the state after every step, leaves (*B, T, ...), or (T, *B, ...) if `time_major`.

        Raises:
            UsageError (a ValueError): a wrong shape or dtype, or a cell that the unroll cannot run.
        """
        is_noisy = isinstance(self.cell, Noisy) and self.has_rng("dropout") and not self.deterministic
        return sequence(
            self.cell,
            _parameters(self, self.cell, self.partition, jnp.shape(inputs)),
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
            key=self.make_rng("dropout") if is_noisy else None,
        )


class RNNCell(nn.RNNCellBase):
    """One step of `cell`, for ``nn.RNN``, ``nn.scan``, ``nn.remat`` and code that expects Flax's cells. `RNN` is
    faster: here the input projection and what is computed from parameters alone run at every step.

    There is no training noise, which is drawn for whole sequences. Flax's wrappers pass no
    elapsed time: it is 1 then, for cells that use it."""

    cell: Cell
    """What to run: a specification from `rnnzoo.cells` or `rnnzoo.wrappers`."""
    partition: Partition | None = None
    """As in `RNN`."""
    carry: CarryForm = "state"
    """As in `RNN`."""

    @nn.compact
    def __call__(self, carry: Any, inputs: Any, dt: Any = None) -> tuple[Any, Float[Array, "*B O"]]:
        """The new carry, and the output (*B, O). dt (*B) is the time since the step before, for cells that use it.

        Raises:
            UsageError (a ValueError): a wrong shape or dtype.
        """
        params = _parameters(self, self.cell, self.partition, jnp.shape(inputs))
        return one_step(self.cell, params, carry, inputs, self.carry, dt)

    @nn.nowrap
    def initialize_carry(self, rng: Key, input_shape: tuple[int, ...]) -> Any:
        """The carry before the first step, leaves (*B, H), for inputs of shape `input_shape` (*B, I) at one step: that
        of the bound parameters, or of new ones drawn from `rng` where there are none yet."""
        stored = self.variables.get("params") if self.scope is not None else None
        if stored:
            params = flax.core.unfreeze(nn.unbox(stored))
        else:
            params = self.cell.init(rng, features_of(self.cell, input_shape))
        return first_carry(self.cell, params, input_shape, self.carry)

    @property
    def num_feature_axes(self) -> int:
        """The number of axes of one input: 1 for a vector."""
        return self.cell.feature_axes


def _parameters(module: nn.Module, cell: Cell, partition: Partition | None, shape: tuple[int, ...]) -> Params:
    """The module's parameters for inputs of that shape; drawn by ``cell.init`` when the module is initialised."""
    input_size = features_of(cell, shape)
    like = expected_params(cell, input_size)
    if module.is_mutable_collection("params") and not all(module.has_variable("params", name) for name in like):
        box = lambda value, names: value if names is None else nn.Partitioned(value, names)  # noqa: E731
        new = boxed(cell.init(module.make_rng("params"), input_size), partition, box)
        return {name: module.param(name, lambda _, tree=tree: tree) for name, tree in new.items()}

    def zeros(_: Key, name: str) -> Any:  # never computed: Flax asks for shapes, to check those that are stored
        return jax.tree.map(lambda a: jnp.zeros(a.shape), like[name])

    return flax.core.unfreeze({name: module.param(name, zeros, name) for name in like})


__all__ = ["RNN", "RNNCell"]
