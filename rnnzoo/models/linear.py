"""Linear maps of blocks: w (M, N), and b (M,) where there is a bias."""

import jax
import jax.numpy as jnp

from rnnzoo.typing import Array, Float, Key, Params


def init_linear(key: Key, outputs: int, inputs: int, bias: bool, gain: float = 1.0) -> Params:
    """Normal weights of variance gain^2 / inputs; the bias is 0."""
    params = {"w": gain * inputs**-0.5 * jax.random.normal(key, (outputs, inputs))}
    return {**params, "b": jnp.zeros(outputs)} if bias else params


def linear(params: Params, x: Float[Array, "... N"]) -> Float[Array, "... M"]:
    """W x + b."""
    y = x @ params["w"].T
    return y + params["b"] if "b" in params else y


__all__ = ["init_linear", "linear"]
