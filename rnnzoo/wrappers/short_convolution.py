"""A short causal convolution of the inputs, as before Mamba's recurrence (Gu & Dao 2023). arXiv:2312.00752"""

from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Size, derived, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast
from rnnzoo.wrappers.base import Wrapper, needs_no_history
from rnnzoo.wrappers.taps import Activation, convolution, uniform, with_convolution


@spec
class ShortConvolution(Wrapper):
    """The cell, with x_t replaced by what the last k = `width` inputs make of it, each feature by itself::

        silu(conv.w[0] * x_{t-k+1} + ... + conv.w[k-1] * x_t + conv.b)

        Parameters  those of `cell`, and  conv.w (k, I)  conv.b (I,)
        State       that of `cell`, and   x (k - 1, I), the inputs before, zeros at first

    All of it runs in parallel over time; the recurrence is that of `cell`, so that an affine cell stays one. conv.w and
    conv.b start uniform in (-1, 1) / sqrt(k), as in the authors' code, where the convolution acts on a projection of
    the inputs. The time dt, for cells that use it, is not convolved. A cell with a history of its own is refused: what
    it should have before the first step is open."""

    cell: Cell = Elman(hidden_size=1)
    """The cell whose inputs are convolved."""
    width: Size = 4
    """Number of inputs k, the newest included."""
    convolution_bias: bool = True
    """Whether the convolution has a bias."""
    activation: Activation = "silu"
    """What is applied to the convolution."""

    history = derived(lambda self: self.width - 1)
    recurrence = derived(lambda self: self.cell.recurrence)

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_no_history(self)

    def init(self, key: Key, input_size: Any) -> Params:
        key, w_key, b_key = jax.random.split(key, 3)
        size = (input_size,) if self.feature_axes == 1 else input_size
        conv = {"w": uniform(w_key, self.width, (self.width, *size))}
        if self.convolution_bias:
            conv["b"] = uniform(b_key, self.width, size)
        return with_convolution(self, self.cell.init(key, input_size), conv)

    def prepare(self, params: Params) -> Params:
        rest = {name: value for name, value in params.items() if name != "conv"}
        return {**self.cell.prepare(rest), "conv": cast(params["conv"], self.dtype)}

    def initial_state(self, params: Params) -> State:
        state, size = self.cell.initial_state(params), params["conv"]["w"].shape[1:]
        if not self.history:
            return state
        dtype = jnp.result_type(*jax.tree.leaves(params), jnp.float32)
        return {**state, "x": jnp.zeros((self.history, *size[:-1], size[-1] + self.uses_dt), dtype)}

    def project(self, params: Params, x_t: Float[Array, "..."]) -> PyTree:
        conv, past = params["conv"], x_t if self.history else x_t[None]
        features = conv["w"].shape[-1]
        y = convolution(conv["w"], conv.get("b"), past[..., :features], self.activation)
        return self.cell.project(params, jnp.concatenate([y, past[-1, ..., features:]], -1) if self.uses_dt else y)

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        return self.cell.step(params, state, z_t, recur)
