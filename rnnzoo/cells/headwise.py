"""Block-diagonal input weights: equal groups of inputs, each for the same group of outputs."""

from collections.abc import Callable

import jax

from rnnzoo.spec import UsageError
from rnnzoo.typing import Array, Float, Key


def draw_blocks(
    draw: Callable[..., Array], key: Key, rows: int, inputs: int, blocks: int, name: str
) -> Float[Array, "..."]:
    """Weights (rows, inputs), or (blocks, rows / blocks, inputs / blocks) of more blocks than one. `UsageError` that
    begins with `name` if there are no such blocks."""
    if blocks == 1:
        return draw(key, (rows, inputs))
    if inputs % blocks or rows % blocks:
        raise UsageError(f"{name} is {blocks}; accepted: a divisor of the {inputs} inputs and of {rows}")
    shape = rows // blocks, inputs // blocks
    return jax.vmap(lambda k: draw(k, shape))(jax.random.split(key, blocks))


def through_blocks(w: Float[Array, "..."], x: Float[Array, " I"]) -> Float[Array, " M"]:
    """W x, with W from `draw_blocks`."""
    if w.ndim == 2:
        return x @ w.T
    return jax.vmap(lambda w, x: x @ w.T)(w, x.reshape(w.shape[0], -1)).reshape(-1)


__all__ = ["draw_blocks", "through_blocks"]
