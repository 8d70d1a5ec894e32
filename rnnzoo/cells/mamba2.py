"""Mamba-2, the state space dual, SSD (Dao & Gu 2024). arXiv:2405.21060"""

import jax
import jax.numpy as jnp
from jax.nn import silu, softplus

from rnnzoo.cells.heads import HeadMemory, rates, step_biases
from rnnzoo.cells.matrix_memory import Memory
from rnnzoo.spec import Positive, Size, UsageError, spec
from rnnzoo.typing import Array, Float, Key, Params, PyTree, widen


@spec
class Mamba2(HeadMemory):
    """N heads of K keys (the paper's state size) and V = H / N values; a group of heads shares B and C::

        u_t = silu(W_x x_t)                                   Parameters  w.x      (H, I)
        B_t = silu(W_b x_t)                                               w.b w.c  (G K, I)
        C_t = silu(W_c x_t)                                               w.dt     (N, I)
        dt_t = softplus(W_dt x_t + dt_bias)                               dt_bias a_log d  (N,)
        S_t = exp(-exp(a_log) * dt_t) * S_tm1 + dt_t * B_t u_t^T
        y_t = S_t^T C_t + d * u_t                             State       s  (N, K, V) = S       Output  y  (H,)

    The convolution before the silu, the gate z, the norm and the output projection of the paper's layer belong to the
    block around the cell. softplus(dt_bias) starts between `dt_min` and `dt_max`, uniform in logarithms; exp(a_log)
    uniform between `a_min` and `a_max`; d at 1: as in the authors' code. With ``bias=True``, W x_t + b in place of
    W x_t. Steps and decays are in float32 or wider whatever `dtype` is."""

    gates = ("x", "b", "c", "dt")
    value_gates = ("x",)
    head_gates = ("dt",)
    wide = ("dt_bias", "a_log", "d")

    groups: Size = 1
    """Number of groups G, a divisor of heads."""
    dt_min: Positive = 0.001
    """Least softplus(dt_bias) at first."""
    dt_max: Positive = 0.1
    """Largest softplus(dt_bias) at first."""
    a_min: Positive = 1.0
    """Least exp(a_log) at first."""
    a_max: Positive = 16.0
    """Largest exp(a_log) at first."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.heads % self.groups:
            raise UsageError(f"Mamba2.groups is {self.groups}; accepted: a divisor of heads, which is {self.heads}")
        for low, high in (("dt_min", "dt_max"), ("a_min", "a_max")):
            if getattr(self, low) > getattr(self, high):
                raise UsageError(
                    f"Mamba2.{low} is {getattr(self, low)}; accepted: at most {high}, which is {getattr(self, high)}"
                )

    def rows(self, gate: str) -> int:
        return self.groups * self.keys if gate in ("b", "c") else super().rows(gate)

    def init(self, key: Key, input_size: int) -> Params:
        key, dt_key, a_key = jax.random.split(key, 3)
        return super().init(key, input_size) | {
            "dt_bias": step_biases(dt_key, self.heads, self.dt_min, self.dt_max),
            "a_log": rates(a_key, self.heads, self.a_min, self.a_max),
            "d": jnp.ones(self.heads),
        }

    def memory(self, params: Params, z_t: PyTree) -> Memory:
        b_t, c_t = (jnp.repeat(silu(z_t[gate]).reshape(self.groups, -1), self.heads // self.groups, 0) for gate in "bc")
        dt_t = softplus(z_t["dt"] + params["dt_bias"])[:, None]
        u_t = self.per_head(silu(z_t["x"]))
        return {"q": c_t, "k": b_t, "v": dt_t * u_t, "g": -jnp.exp(params["a_log"])[:, None] * dt_t}

    def output(self, params: Params, read: Memory, z_t: PyTree) -> Float[Array, " O"]:
        u_t = self.per_head(silu(widen(z_t["x"])))
        return (read["y"] + params["d"][:, None] * u_t).reshape(-1)
