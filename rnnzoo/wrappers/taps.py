"""A causal convolution of each feature by itself: what wrappers that convolve share."""

import math
from collections.abc import Callable
from typing import Literal

import jax

from rnnzoo.spec import UsageError, suggest
from rnnzoo.typing import Array, Float, Key, Params, PyTree, widen
from rnnzoo.wrappers.base import Wrapper

Activation = Literal["silu", "identity"]
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {"silu": jax.nn.silu, "identity": lambda y: y}


def uniform(key: Key, width: int, shape: tuple[int, ...]) -> Array:
    """Numbers uniform in (-1, 1) / sqrt(width), as torch draws the weights and biases of such a convolution."""
    bound = 1 / math.sqrt(width)
    return jax.random.uniform(key, shape, minval=-bound, maxval=bound)


def convolution(
    w: Float[Array, "K ..."], b: Float[Array, "..."] | None, window: Float[Array, "K ..."], activation: Activation
) -> Float[Array, "..."]:
    """activation(w[0] * window[0] + ... + w[K - 1] * window[K - 1] + b), summed in float32 or wider."""
    y = (widen(w) * widen(window)).sum(0)
    return ACTIVATIONS[activation](y if b is None else y + b).astype(window.dtype)


def with_convolution(wrapper: Wrapper, params: Params, conv: Params) -> Params:
    """The parameters of the wrapped cell, with those of the convolution as "conv".

    Raises:
        UsageError: they have such an entry already.
    """
    if "conv" in params:
        raise UsageError(
            f"{type(wrapper).__name__}.cell has parameters of a convolution already; accepted: one wrapper that "
            "convolves in a cell"
        )
    return {**params, "conv": conv}


def leaf_of(wrapper: Wrapper, gate: str) -> str:
    """Where z_t of the wrapped cell has W x + b of a gate."""
    return wrapper.cell.input_leaves.get(gate, gate)


def leaves_of(wrapper: Wrapper, gates: tuple[str, ...], zs: PyTree) -> dict[str, str]:
    """Gate -> where `zs`, a z_t of the wrapped cell, has its W x + b.

    Raises:
        UsageError: it has none there.
    """
    for gate in gates:
        if not isinstance(zs, dict) or not hasattr(zs.get(leaf_of(wrapper, gate)), "shape"):
            raise UsageError(
                f"z_t of {type(wrapper.cell).__name__} has no W x + b of {gate!r}, which {type(wrapper).__name__} "
                "needs; accepted: gates whose W x + b the cell keeps apart, other wrappers outside"
            )
    return {gate: leaf_of(wrapper, gate) for gate in gates}


def needs_gates(wrapper: Wrapper, named: tuple[str, ...]) -> None:
    """Raise `UsageError` if the wrapped cell lacks one of the gates, or one is named twice."""
    place = f"{type(wrapper).__name__}.convolved"
    for gate in named:
        if gate not in wrapper.cell.gates:
            raise UsageError(f"{place} has {gate!r}, no gate of {type(wrapper.cell).__name__}; "
                             f"{suggest(gate, wrapper.cell.gates)}")  # fmt: skip
    if len(set(named)) < len(named):
        raise UsageError(f"{place} is {named}; accepted: each gate once")


__all__ = ["Activation", "convolution", "leaf_of", "leaves_of", "needs_gates", "uniform", "with_convolution"]
