"""Norms of vectors, for blocks and stacks."""

import abc
from typing import Any

import jax
import jax.numpy as jnp

from rnnzoo.spec import Positive, Size, Spec, UsageError, spec
from rnnzoo.typing import Array, Float, Params


@spec
class Norm(Spec, abc.ABC, kind="norms"):
    """A norm over the last axis, in equal groups. It is computed in float32 or wider."""

    epsilon: Positive = 1e-5
    """Added to the mean square, so that zeros have a gradient."""
    groups: Size = 1
    """Number of groups that are normed by themselves, such as the heads of a cell."""
    shared: bool = False
    """Whether all groups have the same scale (and bias)."""

    def check(self, size: int) -> None:
        """Raise `UsageError` if vectors of this size have no such groups."""
        if size % self.groups:
            name = type(self).__name__
            raise UsageError(f"{name}.groups is {self.groups}; accepted: a divisor of the {size} features")

    def init(self, size: int) -> Params:
        """The parameters for vectors of this size."""
        self.check(size)
        return {"scale": jnp.ones(size // self.groups if self.shared else size)}

    def __call__(self, params: Params, x: Float[Array, "... F"]) -> Float[Array, "... F"]:
        """x, normed, in its own dtype."""
        whole = (self.groups, x.shape[-1] // self.groups)  # not -1, which no empty batch has
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32)).reshape(*x.shape[:-1], *whole)
        parts = {name: a if self.shared else a.reshape(whole) for name, a in params.items()}
        return self.scaled(parts, wide).reshape(x.shape).astype(x.dtype)

    @abc.abstractmethod
    def scaled(self, params: Params, x: Float[Array, "... G F"]) -> Float[Array, "... G F"]:
        """Every group of x, normed and scaled."""

    def divided(self, x: Float[Array, "... F"]) -> Float[Array, "... F"]:
        """x by the root of its mean square."""
        return x * jax.lax.rsqrt((x**2).mean(-1, keepdims=True) + self.epsilon)


@spec
class RMSNorm(Norm):
    """Root mean square norm (Zhang & Sennrich 2019, arXiv:1910.07467): x / sqrt(mean(x^2) + epsilon) * scale.

    Parameters scale (F,), or (F / groups,) if shared."""

    def scaled(self, params: Params, x: Any) -> Any:
        return self.divided(x) * params["scale"]


@spec
class LayerNorm(Norm):
    """Layer norm (Ba et al. 2016, arXiv:1607.06450): the same of x - mean(x), plus a bias.

    Parameters scale, bias (F,), or (F / groups,) if shared."""

    bias: bool = True
    """Whether there is a bias."""

    def init(self, size: int) -> Params:
        params = super().init(size)
        return {**params, "bias": jnp.zeros_like(params["scale"])} if self.bias else params

    def scaled(self, params: Params, x: Any) -> Any:
        normed = self.divided(x - x.mean(-1, keepdims=True)) * params["scale"]
        return normed + params["bias"] if self.bias else normed


__all__ = ["LayerNorm", "Norm", "RMSNorm"]
