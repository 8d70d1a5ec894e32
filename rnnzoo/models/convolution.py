"""A causal convolution of the stream, as a residual branch of its own."""

import jax
import jax.numpy as jnp

from rnnzoo.models.linear import init_linear, linear
from rnnzoo.typing import Array, Bool, Control, Float, Key, Params
from rnnzoo.unrolls.inputs import windows
from rnnzoo.wrappers.taps import convolution, uniform


def init_convolution(key: Key, width: int, size: int, gain: float) -> Params:
    """The parameters over so many steps for vectors of that size; `gain` scales the linear map."""
    w_key, b_key, out_key = jax.random.split(key, 3)
    taps = {"w": uniform(w_key, width, (width, size)), "b": uniform(b_key, width, (size,))}
    return {**taps, "out": init_linear(out_key, size, size, bias=True, gain=gain)}


def convolved(
    params: Params, xs: Float[Array, "T B D"], before: Float[Array, "B N D"], counts: Bool[Array, "T B"] | None,
    resets: Bool[Array, "T B"] | None,
) -> tuple[Float[Array, "T B D"], Float[Array, "B N D"]]:  # fmt: skip
    """What the branch makes of the inputs and of the N `before` them, and the last N that count."""
    first = jnp.zeros(before.shape[1:], before.dtype)
    both, past = windows(xs, before, first, Control(active=counts, reset=resets))
    ys = convolution(params["w"][:, None, None], params["b"], jnp.moveaxis(both, 2, 0), "identity")
    return linear(params["out"], ys), past[-1] if xs.shape[0] else before


__all__ = ["convolved", "init_convolution"]
