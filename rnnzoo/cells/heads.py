"""What matrix memories of several heads share: sizes, weights, and what is done with keys and decays."""

import math
from typing import ClassVar

import jax
import jax.numpy as jnp

from rnnzoo.cells.matrix_memory import MatrixMemory
from rnnzoo.spec import Size, UsageError, derived, spec
from rnnzoo.typing import Array, Float, Key, Params, cast, widen


@spec
class HeadMemory(MatrixMemory):
    """N heads of K keys and V = H / N values. Heads lie one after the other: head n has rows n K to (n + 1) K of a
    weight matrix with a row for each key, and n V to (n + 1) V of one with a row for each value.

    A gate of low rank is up (down x): ``params["down"][gate]`` (R, I), ``params["up"][gate]`` (rows, R)."""

    gates = ("q", "k", "v")
    value_gates: ClassVar[tuple[str, ...]] = ("v",)  # those with a row for each value; of the others, each key has one
    head_gates: ClassVar[tuple[str, ...]] = ()  # those with one row for each head
    wide: ClassVar[tuple[str, ...]] = ()  # entries of the parameters that are in float32 or wider whatever `dtype` is
    gain: ClassVar[float] = 1.0  # of the initial weights, where `kernel_init` is None

    usual_keys: ClassVar[int] = derived(lambda self: self.values)
    """Number of keys K where the field says None."""

    bias: bool = False
    heads: Size = 1
    """Number of heads N, a divisor of hidden_size."""
    key_size: Size | None = None
    """Number of keys K in a head (None: as many as values)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden_size % self.heads:
            raise UsageError(
                f"{type(self).__name__}.heads is {self.heads}; accepted: a divisor of hidden_size, which is "
                f"{self.hidden_size}"
            )

    @property
    def values(self) -> int:
        """Number of values V in a head."""
        return self.hidden_size // self.heads

    @property
    def keys(self) -> int:
        """Number of keys K in a head."""
        return self.usual_keys if self.key_size is None else self.key_size

    @property
    def memory_shape(self) -> tuple[int, int, int]:
        return self.heads, self.keys, self.values

    def rows(self, gate: str) -> int:
        """The number of rows of W of a gate."""
        if gate in self.head_gates:
            return self.heads
        return self.hidden_size if gate in self.value_gates else self.heads * self.keys

    def draw(self, key: Key, shape: tuple[int, int]) -> Float[Array, "M N"]:
        """Initial weights: Glorot uniform times `gain`, unless there is a `kernel_init`."""
        if self.kernel_init:
            return self.kernel_init.kernel(key, shape)
        return self.gain * jax.nn.initializers.glorot_uniform(0, 1)(key, shape)

    def init(self, key: Key, input_size: int) -> Params:
        """``{"w": {gate: (rows, I)}, "b": {gate: (rows,)}}``, plus what the cell adds."""
        keys = zip(self.gates, jax.random.split(key, len(self.gates)), strict=True)
        params: Params = {"w": {g: self.draw(k, (self.rows(g), input_size)) for g, k in keys}}
        if self.bias:
            params["b"] = {g: jnp.zeros(self.rows(g)) for g in self.gates}
        return params

    def prepare(self, params: Params) -> Params:
        rest = {name: value for name, value in params.items() if name not in self.wide}
        return {**cast(rest, self.dtype), **widen({name: params[name] for name in self.wide})}

    def per_head(self, z: Float[Array, " M"]) -> Float[Array, "N L"]:
        """A vector, head by head."""
        return z.reshape(self.heads, -1)


def low_rank(params: Params, gate: str, x_t: Float[Array, " I"]) -> Float[Array, " M"]:
    """up (down x) of a gate."""
    return (x_t @ params["down"][gate].T) @ params["up"][gate].T


def unit(x: Float[Array, "... K"]) -> Float[Array, "... K"]:
    """Vectors of norm 1. The 1e-6 of the published code keeps the gradient finite at 0."""
    return x * jax.lax.rsqrt((x * x).sum(-1, keepdims=True) + 1e-6)


def rates(key: Key, heads: int, low: float, high: float) -> Float[Array, " N"]:
    """Logarithms of rates A uniform between `low` and `high`."""
    return jnp.log(jax.random.uniform(key, (heads,), minval=max(low, float(jnp.finfo(jnp.float32).tiny)), maxval=high))


def step_biases(key: Key, size: int, low: float = 0.001, high: float = 0.1) -> Float[Array, " M"]:
    """b with softplus(b) = dt, the logarithm of dt uniform between those of `low` and `high`."""
    span = jax.random.uniform(key, (size,), minval=math.log(low), maxval=math.log(high))
    dt = jnp.maximum(jnp.exp(span), 1e-4)
    return dt + jnp.log(-jnp.expm1(-dt))


__all__ = ["HeadMemory", "low_rank", "rates", "step_biases", "unit"]
