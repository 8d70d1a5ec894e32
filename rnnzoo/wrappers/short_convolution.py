"""A short causal convolution of the inputs, as before Mamba's recurrence (Gu & Dao 2023). arXiv:2312.00752"""

from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Cell
from rnnzoo.cells.elman import Elman
from rnnzoo.cells.recur import Recur
from rnnzoo.spec import Size, UsageError, derived, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast, widen
from rnnzoo.wrappers.base import Wrapper, needs_no_history, projected_shapes
from rnnzoo.wrappers.taps import Activation, convolution, leaves_of, needs_gates, uniform, with_convolution

_KEPT = "convolved"  # where z_t has the convolved input, for the skip


@spec
class ShortConvolution(Wrapper):
    """The cell, with x_t replaced by what the last k = `width` inputs make of it, each feature by itself::

        silu(conv.w[0] * x_{t-k+1} + ... + conv.w[k-1] * x_t + conv.b)

        Parameters  those of `cell`, and  conv.w (k, I)  conv.b (I,)
        State       that of `cell`, and   x (k - 1, I), the inputs before, zeros at first

    With `convolved`, the W x + b of these gates alone is made of it, and that of the others of x_t: q and k of the
    mLSTM and i and f of the sLSTM in the blocks of xLSTM (Beck et al. 2024, arXiv:2405.04517, figures 10 and 9). With
    `skip`, the output is that of `cell` plus conv.skip * (the convolved input), conv.skip (O,) starting at 1, as in the
    mLSTM's block. The input then has as many features as the output.

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
    convolved: tuple[str, ...] = ()
    """The gates that read the convolved input; the others read the input itself (empty: all read it convolved)."""
    skip: bool = False
    """Whether a multiple of the convolved input is added to the output."""

    history = derived(lambda self: self.width - 1)
    recurrence = derived(lambda self: self.cell.recurrence)

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_no_history(self)
        needs_gates(self, self.convolved)
        if self.skip and self.feature_axes != 1:
            raise UsageError(
                f"ShortConvolution.skip is True, and {type(self.cell).__name__} takes inputs of {self.feature_axes} "
                "axes; accepted: a cell that takes vectors"
            )

    def input_size_of(self, features: int) -> Any:
        return self.output_size if self.skip else super().input_size_of(features)

    def init(self, key: Key, input_size: Any) -> Params:
        key, w_key, b_key = jax.random.split(key, 3)
        size = (input_size,) if self.feature_axes == 1 else input_size
        self._check(input_size)
        conv = {"w": uniform(w_key, self.width, (self.width, *size))}
        if self.convolution_bias:
            conv["b"] = uniform(b_key, self.width, size)
        if self.skip:
            conv["skip"] = jnp.ones(self.output_size)
        return with_convolution(self, self.cell.init(key, input_size), conv)

    def _check(self, input_size: Any) -> None:
        if self.skip and input_size != self.output_size:
            raise UsageError(
                f"the input size of ShortConvolution is {input_size} with skip=True; accepted: the output size, which "
                f"is {self.output_size}"
            )
        if self.convolved or self.skip:
            zs = projected_shapes(self.cell, input_size)
            leaves_of(self, self.convolved, zs)
            if self.skip and (not isinstance(zs, dict) or _KEPT in zs):
                raise UsageError(
                    f"ShortConvolution.skip is True, and z_t of {type(self.cell).__name__} is no dict that takes a "
                    f"{_KEPT}; accepted: a cell whose `project` returns a dict without one"
                )

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
        z_t = self.cell.project(params, jnp.concatenate([y, past[-1, ..., features:]], -1) if self.uses_dt else y)
        if self.convolved:
            # What is projected and not taken costs nothing where all is compiled.
            of_x, taken = self.cell.project(params, past[-1]), leaves_of(self, self.convolved, z_t).values()
            z_t = {**of_x, **{leaf: z_t[leaf] for leaf in taken}}
        return {**z_t, _KEPT: y} if self.skip else z_t

    def step(self, params: Params, state: State, z_t: PyTree, recur: Recur) -> State:
        return self.cell.step(params, state, z_t, recur)

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return self._with_skip(params, self.cell.readout(params, state, z_t), z_t)

    def output(self, params: Params, read: PyTree, z_t: PyTree) -> Float[Array, " O"]:
        return self._with_skip(params, super().output(params, read, z_t), z_t)

    def _with_skip(self, params: Params, y: Float[Array, " O"], z_t: PyTree) -> Float[Array, " O"]:
        return y + params["conv"]["skip"] * widen(z_t[_KEPT]) if self.skip else y
