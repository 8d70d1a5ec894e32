"""Selective state space, S6, the recurrence of Mamba (Gu & Dao 2023). arXiv:2312.00752"""

import math

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Affine
from rnnzoo.spec import Positive, Size, UsageError, spec
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast


@spec
class Mamba(Affine):
    """H channels, each with N numbers of its own, and a step that depends on the input::

        u_t = W x_t                                       Parameters  w.h (H, I)
        s_t = softplus(S (R u_t) + step.b)                            step.w = S (H, R)   step.b (H,)
        h_t[i] = exp(s_t[i] A[i]) * h_tm1[i]                          v.r = R (R, H)      v.b v.c  (N, H)
               + s_t[i] u_t[i] * (V_b u_t)                            a_log (H, N)        d (H,)
        y_t[i] = (V_c u_t) . h_t[i] + d[i] u_t[i]         State       h (H N,), channel by channel
                                                          Output      y (H,)

    with A = -exp(a_log). This is the selective scan alone: the convolution before it and the gate and projection after
    it belong to the paper's block. H is the block's inner width, and W its projection of the inputs; ``bias=True`` adds
    b.h to W x_t. All else starts as in the authors' code: A at -1 .. -N, softplus(step.b) log-uniform. s_t and A are
    computed in float32 or wider whatever `dtype` is."""

    bias: bool = False
    states: Size = 16
    """Numbers N in the state of a channel."""
    rank: Size | None = None
    """Rank R of the map to the steps (None: H / 32, rounded up, the paper's width / 16 for an inner width of twice
    it)."""
    step_min: Positive = 0.001
    """The shortest step at first, for u_t = 0."""
    step_max: Positive = 0.1
    """The longest step at first; they are log-uniform between the two."""
    step_floor: Positive = 1e-4
    """Steps that are drawn below this start here."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step_min > self.step_max:
            raise UsageError(f"Mamba.step_min is {self.step_min}; accepted: up to step_max, which is {self.step_max}")

    transition = Diagonal()

    @property
    def state_size(self) -> int:
        return self.hidden_size * self.states

    def init(self, key: Key, input_size: int) -> Params:
        key, step_key, bias_key, *keys = jax.random.split(key, 6)
        size, rank = self.hidden_size, self.rank or -(-self.hidden_size // 32)
        low, high = math.log(self.step_min), math.log(self.step_max)
        step = jnp.exp(jax.random.uniform(bias_key, (size,), minval=low, maxval=high))
        step = jnp.maximum(step, self.step_floor)
        rows = {"r": rank, "b": self.states, "c": self.states}
        return super().init(key, input_size) | {
            "v": {name: _uniform(k, (n, size), size) for (name, n), k in zip(rows.items(), keys, strict=True)},
            # softplus(b) = step
            "step": {"w": _uniform(step_key, (size, rank), rank), "b": step + jnp.log(-jnp.expm1(-step))},
            "a_log": jnp.broadcast_to(jnp.log(jnp.arange(1.0, self.states + 1)), (size, self.states)),
            "d": jnp.ones(size),
        }

    def prepare(self, params: Params) -> Params:
        wide = {"a": params["a_log"], "b": params["step"]["b"]}
        wide = {name: a.astype(jnp.promote_types(a.dtype, jnp.float32)) for name, a in wide.items()}
        rest = cast({name: value for name, value in params.items() if name != "a_log"}, self.dtype)
        return {**rest, "a": -jnp.exp(wide["a"]), "step": {**rest["step"], "b": wide["b"]}}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        u_t, v = super().project(params, x_t)["h"], params["v"]
        step = params["step"]["w"] @ (v["r"] @ u_t)
        return {"u": u_t, "step": step, "b": v["b"] @ u_t, "c": v["c"] @ u_t}

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " S"]]:
        s_t = jax.nn.softplus(z_t["step"] + params["step"]["b"])
        a_t = jnp.exp(s_t[:, None] * params["a"])
        b_t = (s_t * z_t["u"])[:, None] * z_t["b"]
        return a_t.reshape(-1), b_t.reshape(-1)

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        h_t = state["h"].reshape(self.hidden_size, self.states)
        return (h_t * z_t["c"]).sum(-1) + params["d"] * z_t["u"]


def _uniform(key: Key, shape: tuple[int, ...], inputs: int) -> Array:
    """Uniform within 1 / sqrt(inputs)."""
    bound = inputs**-0.5
    return jax.random.uniform(key, shape, minval=-bound, maxval=bound)
