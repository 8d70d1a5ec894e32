"""Primitives that some kernel languages lack, written in those that all of them have.

Each takes what the primitive takes. Mosaic GPU has none of these, Triton and TPU lack some."""

from typing import Any

import jax.numpy as jnp
from jax import lax

from rnnzoo.typing import Array


def _log1p(x: Array, **_: Any) -> Array:
    # Exact near 0, where log(1 + x) is not: what rounding 1 + x to u has lost is made up for by x / (u - 1).
    u = 1 + x
    return jnp.where(u == 1, x, jnp.log(u) * (x / jnp.where(u == 1, 1, u - 1)))


def _expm1(x: Array, **_: Any) -> Array:
    half = jnp.tanh(x / 2)
    return jnp.where(jnp.abs(x) < 0.5, 2 * half / (1 - half), jnp.exp(x) - 1)


def _integer_pow(x: Array, *, y: int, **_: Any) -> Array:
    if y >= 0:
        return lax.integer_pow(x, y)
    return 1 / lax.integer_pow(x, -y)


def _one_minus_square(x: Array, **_: Any) -> Array:
    return (1 - x) * (1 + x)


def _add(a: Array, b: Array, **_: Any) -> Array:
    return a + b


def _same(x: Array, **_: Any) -> Array:
    return x


def _is_finite(x: Array, **_: Any) -> Array:
    return jnp.abs(x) < jnp.inf


SUBSTITUTES = {
    "add_any": _add, "copy": _same, "copy_p": _same, "expm1": _expm1, "integer_pow": _integer_pow,
    "is_finite": _is_finite, "log1p": _log1p, "name": _same,
    "one_minus_square": _one_minus_square, "stop_gradient": _same,
}  # fmt: skip

__all__ = ["SUBSTITUTES"]
