"""Linear recurrent unit, LRU (Orvieto et al. 2023). arXiv:2303.06349"""

import math

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Affine
from rnnzoo.spec import Fraction, Positive, Size, UsageError, spec
from rnnzoo.structures.complex_diagonal import ComplexDiagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, State, cast


@spec
class LRU(Affine):
    """H / 2 complex units, kept as H real numbers: h = [real parts, imaginary parts]::

        lambda = exp(-exp(nu) + 1j * exp(theta))              Parameters  nu theta gamma  (H / 2,)
        h_t = lambda * h_tm1 + exp(gamma) * (B x_t)                       w.h = [Re B, Im B]   (H, I)
        y_t = Re(C h_t) + D x_t                                           c   = [Re C, -Im C]  (O, H)
                                                                          d   = D              (O, I)
                                                              State       h (H,)               Output  y (O,)

    As in the paper's appendix A, with its start: abs(lambda)**2 uniform in (r_min**2, r_max**2), the phase exp(theta)
    uniform in (0, max_phase), exp(gamma) = sqrt(1 - abs(lambda)**2), which is learned from then on. The paper's code
    has a diagonal D for O = I; here D is a full matrix, so that O and I may differ, drawn so that D x_t has the same
    variance. With ``bias=True``, B x_t + b.h in place of B x_t. lambda and exp(gamma) are computed in float32 or
    wider whatever `dtype` is."""

    bias: bool = False
    features: Size | None = None
    """Number of outputs O (None: hidden_size)."""
    r_min: Fraction = 0.0
    """Least abs(lambda) at first."""
    r_max: Fraction = 1.0
    """Largest abs(lambda) at first."""
    max_phase: Positive = 2 * math.pi
    """Largest phase of lambda at first."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.transition.check(self.hidden_size)
        if self.r_min >= self.r_max:
            raise UsageError(f"LRU.r_min is {self.r_min}; accepted: a number less than r_max, which is {self.r_max}")

    @property
    def output_size(self) -> int:
        return self.hidden_size if self.features is None else self.features

    transition = ComplexDiagonal()

    def init(self, key: Key, input_size: int) -> Params:
        key, w_key, nu_key, theta_key, c_key, d_key = jax.random.split(key, 6)
        params = super().init(key, input_size)
        size = self.hidden_size // 2
        if self.kernel_init is None:
            params["w"]["h"] = jax.random.normal(w_key, (2 * size, input_size)) / math.sqrt(2 * input_size)
        # abs(lambda)**2 = r_max**2 * (1 - inner), in logarithms lest it round to 1.
        least = float(jnp.finfo(jnp.float32).eps)
        inner = jax.random.uniform(nu_key, (size,), minval=least) * (1 - (self.r_min / self.r_max) ** 2)
        rate = -math.log(self.r_max) - 0.5 * jnp.log1p(-inner)
        params["nu"] = jnp.log(rate)
        params["theta"] = jnp.log(self.max_phase * jax.random.uniform(theta_key, (size,), minval=least))
        params["gamma"] = 0.5 * jnp.log(-jnp.expm1(-2 * rate))
        params["c"] = jax.random.normal(c_key, (self.output_size, 2 * size)) / math.sqrt(size)
        params["d"] = jax.random.normal(d_key, (self.output_size, input_size)) / math.sqrt(input_size)
        return params

    def prepare(self, params: Params) -> Params:
        logs = {name: params[name] for name in ("nu", "theta", "gamma")}
        logs = {name: a.astype(jnp.promote_types(a.dtype, jnp.float32)) for name, a in logs.items()}
        radius, phase = jnp.exp(-jnp.exp(logs["nu"])), jnp.exp(logs["theta"])
        a = {"re": radius * jnp.cos(phase), "im": radius * jnp.sin(phase)}
        rest = {name: value for name, value in params.items() if name not in logs}
        return {**cast(rest, self.dtype), "a": a, "gain": jnp.tile(jnp.exp(logs["gamma"]), 2)}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        z_t = super().project(params, x_t)["h"]
        return {"h": (params["gain"] * z_t).astype(z_t.dtype), "y": x_t @ params["d"].T}

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        return params["a"], z_t["h"]

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return state["h"].astype(params["c"].dtype) @ params["c"].T + z_t["y"]
