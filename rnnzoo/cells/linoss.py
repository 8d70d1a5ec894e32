"""Linear oscillators, LinOSS (Rusch & Rus 2025), and damped, D-LinOSS (Boyer et al. 2025, arXiv:2505.12171).

https://openreview.net/forum?id=GRMfXcAAFh
"""

import math
from typing import Literal

import jax
import jax.numpy as jnp
from jax.nn import relu, sigmoid

from rnnzoo.cells.base import Affine
from rnnzoo.spec import Size, UsageError, spec
from rnnzoo.structures.partitioned import Partitioned
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast

_OSCILLATORS = ("a", "step", "g")


@spec
class LinOSS(Affine):
    """N oscillators with a speed z and a place y each, h = [z, y]. With dt the time since the step before, 1 unless
    ``run(..., dt=...)`` says otherwise::

        step_t = sigmoid(step) * dt                           Parameters  a step g  (N,); g with `damping`
        IM:    s_t = 1 / (1 + step_t**2 * a)                              w.h = B   (H / 2, I)
        IMEX:  s_t = 1 / (1 + step_t * g)                                 c   = C   (O, H / 2)
        z_t = s_t * (z_tm1 + step_t * (B x_t - a * y_tm1))                d   = D   (O, I)
        y_t = y_tm1 + step_t * z_t                            State       h (H,)
        out_t = C y_t + D x_t                                 Output      out (O,)

    a is relu(a); without `damping`, g = 0. N = H / 2. With `complex`, N = H / 4, and B, C and h are complex, as in the
    authors' code: z = [real parts, imaginary parts], y likewise, w.h = [Re B, Im B], c = [Re C, -Im C]; that is pairs
    of oscillators which share a and step. With `damping`, g is relu(g), and a is clipped to where the oscillator is not
    overdamped at dt = 1, as in the code of D-LinOSS. IMEX needs step_t**2 * a <= 4. All starts as in their code: a
    and step uniform in (0, 1), B and C uniform in (-1, 1) / sqrt(I) and / sqrt(N); with `damping` step normal with
    deviation 0.5, and a and g such that the eigenvalues are uniform over the ring of moduli (0.9, 1). Its D is
    diagonal; here it is a full matrix, so that O and I may differ. With ``bias=True``, B x_t + b.h (H / 2,) in place
    of B x_t, as in the paper."""

    uses_dt = True

    bias: bool = False
    features: Size | None = None
    """Number of outputs O (None: hidden_size)."""
    discretization: Literal["im", "imex"] = "im"
    """Implicit, which loses energy, or implicit-explicit, which keeps it."""
    damping: bool = False
    """Whether oscillators are damped (D-LinOSS); for "imex"."""
    complex: bool = False
    """Whether B, C and the state are complex; hidden_size is then divisible by 4."""

    transition = Partitioned(parts=2)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden_size % (4 if self.complex else 2):
            accepted = "a number divisible by 4, as `complex` needs" if self.complex else "an even number"
            raise UsageError(f"LinOSS.hidden_size is {self.hidden_size}; accepted: {accepted}")
        if self.damping and self.discretization == "im":
            raise UsageError("LinOSS.damping is True for discretization 'im'; accepted: for 'imex', or False")

    @property
    def output_size(self) -> int:
        return self.hidden_size if self.features is None else self.features

    def init(self, key: Key, input_size: int) -> Params:
        key, b_key, c_key, d_key, o_key = jax.random.split(key, 5)
        params, half = super().init(key, input_size), self.hidden_size // 2
        size = half // 2 if self.complex else half

        def draw(key: Key, shape: tuple[int, int], fan: int) -> Float[Array, "M N"]:
            return jax.random.uniform(key, shape, minval=-1.0, maxval=1.0) / math.sqrt(fan)

        for part in params.values():
            part["h"] = part["h"][:half]
        if self.kernel_init is None:
            params["w"]["h"] = draw(b_key, (half, input_size), input_size)
        params["c"] = draw(c_key, (self.output_size, half), size)
        params["d"] = jax.random.normal(d_key, (self.output_size, input_size)) / math.sqrt(input_size)
        return params | (_on_a_ring if self.damping else _uniform)(o_key, size)

    def prepare(self, params: Params) -> Params:
        given = {name: params[name] for name in _OSCILLATORS if name in params}
        given = {name: v.astype(jnp.promote_types(v.dtype, jnp.float32)) for name, v in given.items()}
        a, step, g = given["a"], sigmoid(given["step"]), jnp.zeros_like(given["a"])
        if self.damping:
            g = relu(given["g"])
            most, square = 1 + jnp.sqrt(1 + step * g), jnp.maximum(step**2, 1e-6)
            a = jnp.clip(a, (step * g / most) ** 2 / square, most**2 / square)
        copies = 2 if self.complex else 1
        oscillators = {"a": relu(a), "step": step, "g": g}
        rest = {name: value for name, value in params.items() if name not in _OSCILLATORS}
        return {**cast(rest, self.dtype), **{name: jnp.tile(v, copies) for name, v in oscillators.items()}}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        x_t, dt = x_t[:-1], x_t[-1]
        return {**super().project(params, x_t), "out": x_t @ params["d"].T, "dt": dt}

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        step_t, a = params["step"] * z_t["dt"], params["a"]
        pull = step_t**2 * a
        s_t = 1 / (1 + (pull if self.discretization == "im" else step_t * params["g"]))
        stays = s_t if self.discretization == "im" else 1 - pull * s_t  # the same, but exact
        push = step_t * s_t * z_t["h"]
        return ((s_t, -step_t * a * s_t), (step_t * s_t, stays)), jnp.concatenate([push, step_t * push])

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        y_t = state["h"][self.hidden_size // 2 :]
        return y_t.astype(params["c"].dtype) @ params["c"].T + z_t["out"]


def _uniform(key: Key, size: int) -> Params:
    a, step = jax.random.uniform(key, (2, size))
    return {"a": a, "step": step}


def _on_a_ring(key: Key, size: int) -> Params:
    """a and g of oscillators whose eigenvalues are uniform over a ring. Their product is 1 / (1 + step g), and their
    sum 1 + (1 - step**2 a) / (1 + step g)."""
    radius_key, phase_key, step_key = jax.random.split(key, 3)
    square = jax.random.uniform(radius_key, (size,), minval=0.9**2, maxval=1.0)
    phase = math.pi * jax.random.uniform(phase_key, (size,))
    raw = jax.random.normal(step_key, (size,)) / 2
    step = sigmoid(raw)
    a = (1 + square - 2 * jnp.sqrt(square) * jnp.cos(phase)) / (step**2 * square)
    return {"a": a, "step": raw, "g": (1 / square - 1) / step}
