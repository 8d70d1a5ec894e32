"""Token shift: every input mixed with the one before it, as in RWKV (Peng et al. 2023). arXiv:2305.13048"""

from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Fraction, derived, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast
from rnnzoo.wrappers.base import Wrapper, needs_no_history


@spec
class TokenShift(Wrapper):
    """The cell, with x_t replaced, for each feature by itself, by::

        mix * x_t + (1 - mix) * x_tm1

        Parameters  those of `cell`, and  mix (I,)
        State       that of `cell`, and   x (1, I), the input before, zeros at first

    mix is learned and starts at (i / I)**ratio for feature i = 0 .. I - 1, as in the code of RWKV-4, so that early
    features are those of the step before, and a single one at ratio 1 is nothing else at first. RWKV has a mix for each
    of its gates; here it is one for all. The recurrence is that of `cell`, so that an affine cell stays one. The time
    dt, for cells that use it, is not mixed. A cell with a history of its own is refused."""

    cell: Cell = Elman(hidden_size=1)
    """The cell whose inputs are mixed."""
    ratio: Fraction = 1.0
    """The exponent of what mix starts at; 1 - l / L in layer l of L, the first one being 0."""

    history = 1
    recurrence = derived(lambda self: self.cell.recurrence)

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_no_history(self)

    def init(self, key: Key, input_size: Any) -> Params:
        size = (input_size,) if self.feature_axes == 1 else input_size
        mix = jnp.broadcast_to((jnp.arange(size[-1]) / size[-1]) ** self.ratio, size)
        return {**self.cell.init(key, input_size), "mix": mix}

    def prepare(self, params: Params) -> Params:
        rest = {name: value for name, value in params.items() if name != "mix"}
        return {**self.cell.prepare(rest), "mix": cast(params["mix"], self.dtype)}

    def initial_state(self, params: Params) -> State:
        *leading, features = params["mix"].shape
        dtype = jnp.result_type(*jax.tree.leaves(params), jnp.float32)
        past = jnp.zeros((1, *leading, features + self.uses_dt), dtype)
        return {**self.cell.initial_state(params), "x": past}

    def project(self, params: Params, x_t: Float[Array, "..."]) -> PyTree:
        mix = params["mix"]
        old, new = x_t[..., : mix.shape[-1]]
        x_t = jnp.concatenate([mix * new + (1 - mix) * old, x_t[1, ..., mix.shape[-1] :]], -1)
        return self.cell.project(params, x_t)

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        return self.cell.step(params, state, z_t, recur)
