"""Real-gated linear recurrent unit, RG-LRU (De et al. 2024). arXiv:2402.19427"""

import math

import jax
import jax.numpy as jnp
from jax.nn import sigmoid, softplus

from rnnzoo.cells.base import Affine
from rnnzoo.spec import Fraction, Positive, Size, UsageError, derived, spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.complex_diagonal import ComplexDiagonal
from rnnzoo.structures.diagonal import Diagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast

_STEEPEST = 1000.0  # bound of the root's derivative, in the authors' code


@spec
class RGLRU(Affine):
    """With block-diagonal matrices V of `heads` equal blocks::

        u_t = W_h x_t + b_h                                   Parameters  w.h (H, I)  b.h (H,)
        r_t = sigmoid(V_a u_t + d_a)                                      v.a v.i  (heads, H / heads, H / heads)
        i_t = sigmoid(V_i u_t + d_i)                                      d.a d.i  (H,), with `bias`
        a_t = exp(-c * softplus(lambda) * r_t)                            lambda   (H,)
        h_t = a_t * h_tm1                                     State       h (H,)
              + sqrt(1 - a_t**2) * (i_t * u_t)                Output      h

    The linear layer before the recurrence, W_h, is that of the paper's recurrent block; its convolution is left out.
    With ``projected=False`` u_t is x_t itself, of H features, and there are no w and b: the block around the cell has
    both. A `ShortConvolution` around it, without its silu, then stands where that of the paper does. Sign of lambda as
    in the authors' code, whose bound of the root's derivative (1000) we have, too. As the paper says, a_t at r_t = 1 is
    uniform in (r_min, r_max) at first; the code draws its c-th root so, by area. The paper's equation holds at all
    steps: the code has 1 in place of the root at the first step, and after a reset, as has this cell with
    ``undamped_start``, whose state has z.past (1, 1), 0 before that step and 1 later. V is normal with variance
    heads / H at first. With `complex`, h is H / 2 complex units, [real parts, imaginary parts], with as many gates and
    lambda, V (heads, H / 2 / heads, H / heads), and in place of a_t as factor of h_tm1
    ``a_t * exp(1j * theta * r_t)``, theta (H / 2,) uniform in (0, 0.1 pi) at first."""

    heads: Size = 1
    """Number of blocks of the gates' matrices; divides the number of units."""
    c: Positive = 8.0
    """Sharpness of the decay."""
    r_min: Fraction = 0.9
    """Least decay at first, where the gate is open."""
    r_max: Fraction = 0.999
    """Largest decay at first, where the gate is open."""
    complex: bool = False
    """Whether units are complex."""
    projected: bool = True
    """Whether the cell has a linear layer before the recurrence."""
    undamped_start: bool = False
    """Whether the first input, and the first after a reset, enters without the root."""

    z_history = derived(lambda self: int(self.undamped_start))
    gates = derived(lambda self: ("h",) if self.projected else ())

    def __post_init__(self) -> None:
        super().__post_init__()
        self.transition.check(self.hidden_size)
        if not 0 < self.r_min < self.r_max < 1:
            raise UsageError(f"RGLRU.r_min is {self.r_min} and r_max is {self.r_max}; accepted: 0 < r_min < r_max < 1")
        if self._units % self.heads:
            raise UsageError(f"RGLRU.heads is {self.heads}; accepted: a divisor of {self._units}, the number of units")

    def input_size_of(self, features: int) -> int:
        return features if self.projected else self.hidden_size

    @property
    def _units(self) -> int:
        return self.hidden_size // 2 if self.complex else self.hidden_size

    @property
    def transition(self) -> Algebra:
        return ComplexDiagonal() if self.complex else Diagonal()

    def init(self, key: Key, input_size: int) -> Params:
        key, a_key, i_key, lambda_key, theta_key = jax.random.split(key, 5)
        params, units = super().init(key, input_size) if self.projected else {}, self._units
        if not self.projected and input_size != self.hidden_size:
            raise UsageError(
                f"the input size of RGLRU is {input_size} with projected=False; accepted: hidden_size, which is "
                f"{self.hidden_size}"
            )
        shape = self.heads, units // self.heads, self.hidden_size // self.heads
        params["v"] = {g: jax.random.normal(k, shape) / math.sqrt(shape[2]) for g, k in (("a", a_key), ("i", i_key))}
        if self.bias:
            params["d"] = {g: jnp.zeros(units) for g in "ai"}
        radius = jax.random.uniform(lambda_key, (units,), minval=self.r_min, maxval=self.r_max)
        params["lambda"] = jnp.log(jnp.expm1(-jnp.log(radius) / self.c))
        if self.complex:
            params["theta"] = 0.1 * math.pi * jax.random.uniform(theta_key, (units,))
        return params

    def prepare(self, params: Params) -> Params:
        kept = {name: params[name] for name in ("lambda", "theta") if name in params}
        kept = {name: a.astype(jnp.promote_types(a.dtype, jnp.float32)) for name, a in kept.items()}
        rest = {name: value for name, value in params.items() if name not in kept}
        rate = self.c * softplus(kept.pop("lambda"))
        return {**cast(rest, self.dtype), "rate": rate, **kept}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        u_t = super().project(params, x_t)["h"] if self.projected else x_t
        blocks = u_t.reshape(self.heads, -1, 1)
        gates = {g: jnp.matmul(v, blocks).reshape(-1) for g, v in params["v"].items()}
        if self.bias:
            gates = {g: z + params["d"][g] for g, z in gates.items()}
        return {**gates, "h": u_t, **({"past": jnp.ones(1, u_t.dtype)} if self.undamped_start else {})}

    def initial_state(self, params: Params) -> State:
        state = super().initial_state(params)
        return {**state, "z": {"past": jnp.zeros((1, 1), state["h"].dtype)}} if self.undamped_start else state

    def convolve(self, params: Params, window: PyTree) -> PyTree:
        return {**window, "past": window["past"][0]}

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        r_t, i_t = sigmoid(z_t["a"]), sigmoid(z_t["i"])
        log_a = -params["rate"] * r_t
        a_t, damping = jnp.exp(log_a), root(-jnp.expm1(2 * log_a))
        gain = i_t * (jnp.where(z_t["past"] == 0, 1, damping) if self.undamped_start else damping)
        if not self.complex:
            return a_t, gain * z_t["h"]
        phase = params["theta"] * r_t
        return {"re": a_t * jnp.cos(phase), "im": a_t * jnp.sin(phase)}, jnp.tile(gain, 2) * z_t["h"]


@jax.custom_jvp
def root(x: Float[Array, " H"]) -> Float[Array, " H"]:
    """The square root, with a derivative of 1000 at most."""
    return jnp.sqrt(x)


@root.defjvp
def _root_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (dx,) = primals, tangents
    return root(x), dx / (2 * jnp.sqrt(jnp.maximum(x, 1 / (2 * _STEEPEST) ** 2)))
