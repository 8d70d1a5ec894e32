"""The feed-forward part of a block."""

import functools
from typing import Literal

import jax
import jax.numpy as jnp

from rnnzoo.cells.rwkv6 import fading
from rnnzoo.models.linear import init_linear, linear
from rnnzoo.spec import Size, Spec, spec
from rnnzoo.typing import Array, Bool, Control, Float, Key, Params
from rnnzoo.unrolls.inputs import windows

Activation = Literal["gelu", "silu", "relu", "squared relu", "sigmoid", "exact gelu"]
FUNCTIONS = {
    "gelu": jax.nn.gelu,  # the approximation by tanh, as in the code of most papers
    "exact gelu": functools.partial(jax.nn.gelu, approximate=False),
    "silu": jax.nn.silu,
    "relu": jax.nn.relu,
    "squared relu": lambda x: jax.nn.relu(x) ** 2,
    "sigmoid": jax.nn.sigmoid,
}


@spec
class MLP(Spec, kind="mlps"):
    """Two linear maps around a nonlinearity, of every step by itself::

    W_out act(W_in x + b_in) + b_out                      Parameters  in.w (M, D)  in.b (M,)
    W_out (act(W_gate x + b_gate) * (W_in x + b_in)) + b_out          gate.w (M, D)  gate.b (M,), if gated
                                                                      out.w (D, M)  out.b (D,)
    """

    size: Size = 1
    """Number of hidden features M."""
    activation: Activation = "gelu"
    """The nonlinearity; of the gate, if there is one."""
    gated: bool = True
    """Whether a second linear map makes a gate: GEGLU, SwiGLU (Shazeer 2020, arXiv:2002.05202)."""
    bias: bool = False
    """Whether the linear maps have biases."""
    shift: bool = False
    """Read x_t + mix * (x_tm1 - x_t) in place of x_t, with learned ``mix`` (D,): RWKV's channel mixing. The state then
    has x (1, D), the input before."""

    def init(self, key: Key, size: int, gain: float = 1.0, depth: float = 0.0, layers: int = 1) -> Params:
        """The parameters for vectors of that size; `gain` scales the last map, and `mix` goes by the place, from 0
        (first) to 1 (last) among so many layers."""
        keys = dict(zip(("in", "gate", "out"), jax.random.split(key, 3), strict=True))
        params: Params = {"in": init_linear(keys["in"], self.size, size, self.bias)}
        if self.gated:
            params["gate"] = init_linear(keys["gate"], self.size, size, self.bias)
        params["out"] = init_linear(keys["out"], size, self.size, self.bias, gain)
        if self.shift:
            params["mix"] = 1 - (jnp.arange(size) / size) ** (fading(depth, layers) ** 4)
        return params

    def __call__(self, params: Params, x: Float[Array, "... D"]) -> Float[Array, "... D"]:
        """The output for every vector, already shifted."""
        act = FUNCTIONS[self.activation]
        hidden = linear(params["in"], x)
        hidden = act(linear(params["gate"], x)) * hidden if self.gated else act(hidden)
        return linear(params["out"], hidden)

    def shifted(
        self, params: Params, xs: Float[Array, "T B D"], before: Float[Array, "B 1 D"],
        counts: Bool[Array, "T B"] | None, resets: Bool[Array, "T B"] | None,
    ) -> tuple[Float[Array, "T B D"], Float[Array, "B 1 D"]]:  # fmt: skip
        """What is read in place of the inputs, and the last of those that count."""
        first = jnp.zeros(before.shape[1:], before.dtype)
        both, past = windows(xs, before, first, Control(active=counts, reset=resets))
        x_tm1, x_t = both[:, :, 0], both[:, :, 1]
        return x_t + params["mix"] * (x_tm1 - x_t), past[-1] if xs.shape[0] else before


__all__ = ["FUNCTIONS", "MLP", "Activation"]
