"""What convolutional cells share: units at places, gates that are convolutions of inputs and of the state."""

import abc
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Recurrent
from rnnzoo.spec import Size, Spec, UsageError, derived, spec
from rnnzoo.structures.base import Structure, Structures
from rnnzoo.structures.convolution import Convolution, convolve
from rnnzoo.typing import Array, Float, Key, Params, PyTree


@spec
class Convolutional(Recurrent, abc.ABC):
    """A cell whose inputs are arrays (*shape, I), and whose H units are an array (*shape, C), flat. Its parameters are
    w[gate] (C, k, ..., k, I), b[gate] (C,), the same at all places, and u[gate], by default those of a `Convolution`.
    """

    feature_axes = derived(lambda self: 1 + len(self.shape))
    leading_axes = derived(lambda self: self.shape)

    shape: tuple[Size, ...] = ()
    """Numbers of places along each axis, such as (rows, columns). Empty: one place, where inputs have one axis."""
    channels: Size | None = None
    """Units at each place, C (None: hidden_size by the number of places)."""
    kernel: Size = 3
    """Size k of the surroundings along each axis that units hear: the paper's state-to-state kernel."""
    input_kernel: Size | None = None
    """The same for inputs (None: as `kernel`)."""
    structure: Structures | None = None  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    """The structure of the recurrent matrices U (None: `Convolution`)."""

    def __post_init__(self) -> None:
        Spec.__post_init__(self)  # the fields first: what follows computes with them
        count = math.prod(self.shape)
        if self.hidden_size % count or self.channels not in (None, self.hidden_size // count):
            fits = f"a multiple of {count}" if self.channels is None else f"{count * self.channels}"
            raise UsageError(
                f"{type(self).__name__}.hidden_size is {self.hidden_size}, with shape {self.shape} and channels "
                f"{self.channels}; accepted: {fits}"
            )
        super().__post_init__()

    @property
    def structures(self) -> Mapping[str, Structure]:
        if self.structure is not None:
            return super().structures
        gates = self.gates if self.recurrent_gates is None else self.recurrent_gates
        return dict.fromkeys(gates, Convolution(shape=self.shape, channels=self._channels, kernel=self.kernel))

    @property
    def _channels(self) -> int:
        return self.hidden_size // math.prod(self.shape)

    def init(self, key: Key, input_size: Any) -> Params:
        *places, features = input_size if self.shape else (input_size,)
        if tuple(places) != self.shape:
            raise UsageError(
                f"inputs of {type(self).__name__} have the shape {input_size}; accepted: {(*self.shape, features)}"
            )
        key, w_key = jax.random.split(key)
        params = super().init(key, 1)
        kernel = [self.input_kernel or self.kernel] * len(self.shape)
        keys = zip(self.gates, jax.random.split(w_key, len(self.gates)), strict=True)
        draw = self.kernel_init.kernel if self.kernel_init else jax.nn.initializers.glorot_uniform(0, 1)
        flat = {g: draw(k, (self._channels, math.prod(kernel) * features)) for g, k in keys}
        params["w"] = {g: w.reshape(self._channels, *kernel, features) for g, w in flat.items()}
        if self.bias:
            params["b"] = {g: jnp.zeros(self._channels) for g in self.gates}
        return params

    def project(self, params: Params, x_t: Float[Array, "..."]) -> PyTree:
        z_t = {g: convolve(w, x_t) for g, w in params["w"].items()}
        z_t = jax.tree.map(jnp.add, z_t, params["b"]) if self.bias else z_t
        return {g: a.reshape(-1) for g, a in z_t.items()}


__all__ = ["Convolutional"]
