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

from rnnzoo.arguments import expected_params, require_cell
from rnnzoo.cells.base import Cell
from rnnzoo.cells.noise import Noisy
from rnnzoo.flax_conventions import Partition, boxed, first_carry, one_step, sequence
from rnnzoo.typing import Array, Float, Int, Key, Params, State
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

    @nn.compact
    def __call__(
        self,
        inputs: Float[Array, "..."],
        *,
        initial_carry: State | None = None,
        init_key: Key | None = None,
        seq_lengths: Int[Array, " *B"] | None = None,
        return_carry: bool | None = None,
        time_major: bool | None = None,
        reverse: bool | None = None,
        keep_order: bool | None = None,
        resets: Array | None = None,
        dt: Array | None = None,
    ) -> Any:
        """Outputs (*B, T, O), or ``(carry, outputs)``. A flag given here goes before that of the module.

        Args:
            inputs: (*B, T, I), or (T, *B, I) if `time_major`; any number of batch axes *B.
            initial_carry: the state before the first step, leaves (*B, H) or (H,); None: ``cell.initial_state``.
            init_key: accepted as by Flax, and not used: the initial state of a cell is not random.
            seq_lengths: (*B,), from 0 to T.
            return_carry: see the module.
            time_major: see the module.
            reverse: see the module.
            keep_order: see the module.
            resets: (*B, T), True where the state starts anew before the step; time first if `time_major`.
            dt: (*B, T), the time since the step before, for cells that use it; time first if `time_major`.

        Raises:
            UsageError (a ValueError): a wrong shape or dtype, or a cell that the unroll cannot run.
        """
        is_noisy = isinstance(self.cell, Noisy) and self.has_rng("dropout") and not self.deterministic
        carry, outputs = sequence(
            self.cell,
            _parameters(self, self.cell, self.partition, jnp.shape(inputs)[-1]),
            inputs,
            unroll=self.unroll,
            initial_carry=initial_carry,
            seq_lengths=seq_lengths,
            time_major=self.time_major if time_major is None else time_major,
            reverse=self.reverse if reverse is None else reverse,
            keep_order=self.keep_order if keep_order is None else keep_order,
            resets=resets,
            dt=dt,
            key=self.make_rng("dropout") if is_noisy else None,
        )
        return_carry = self.return_carry if return_carry is None else return_carry
        return (carry, outputs) if return_carry else outputs


class RNNCell(nn.RNNCellBase):
    """One step of `cell`, for ``nn.RNN``, ``nn.scan``, ``nn.remat`` and code that expects Flax's cells. `RNN` is
    faster: here the input projection and what is computed from parameters alone run at every step.

    The carry is the state of `cell`, a dict. Without training noise, which is drawn for whole sequences; the elapsed
    time of cells that use it is 1."""

    cell: Cell
    """What to run: a specification from `rnnzoo.cells` or `rnnzoo.wrappers`."""
    partition: Partition | None = None
    """As in `RNN`."""

    @nn.compact
    def __call__(self, carry: State, inputs: Float[Array, "*B I"]) -> tuple[State, Float[Array, "*B O"]]:
        """The new carry, and the output (*B, O).

        Raises:
            UsageError (a ValueError): a wrong shape or dtype.
        """
        return one_step(self.cell, _parameters(self, self.cell, self.partition, inputs.shape[-1]), carry, inputs)

    @nn.nowrap
    def initialize_carry(self, rng: Key, input_shape: tuple[int, ...]) -> State:
        """The carry before the first step, leaves (*B, H), for inputs of shape `input_shape` (*B, I) at one step: that
        of the bound parameters, or of new ones drawn from `rng` where there are none yet."""
        stored = self.variables.get("params") if self.scope is not None else None
        params = flax.core.unfreeze(nn.unbox(stored)) if stored else self.cell.init(rng, input_shape[-1])
        return first_carry(self.cell, params, input_shape)

    @property
    def num_feature_axes(self) -> int:
        """1: an input is a vector."""
        return 1


def _parameters(module: nn.Module, cell: Cell, partition: Partition | None, input_size: int) -> Params:
    """The module's parameters; drawn as ``cell.init`` draws them where the module is being initialised."""
    require_cell(cell)
    like = expected_params(cell, input_size)
    if module.is_mutable_collection("params") and not all(module.has_variable("params", name) for name in like):
        box = lambda value, names: value if names is None else nn.Partitioned(value, names)  # noqa: E731
        new = boxed(cell.init(module.make_rng("params"), input_size), partition, box)
        return {name: module.param(name, lambda _, tree=tree: tree) for name, tree in new.items()}

    def zeros(_: Key, name: str) -> Any:  # never computed: Flax asks for shapes, to check those that are stored
        return jax.tree.map(lambda a: jnp.zeros(a.shape), like[name])

    return flax.core.unfreeze({name: module.param(name, zeros, name) for name in like})


__all__ = ["RNN", "RNNCell"]
