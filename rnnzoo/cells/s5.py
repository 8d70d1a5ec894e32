"""Simplified state space layer, S5 (Smith et al. 2023). arXiv:2208.04933"""

import math
from typing import Literal

import jax
import jax.numpy as jnp

from rnnzoo.cells.base import Affine
from rnnzoo.spec import Positive, Size, UsageError, spec
from rnnzoo.structures.complex_diagonal import ComplexDiagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, Shaped, State, cast

_RATES = ("re", "im", "step")


@spec
class S5(Affine):
    """H / 2 complex units, each standing for a conjugate pair, kept as H real numbers: h = [real parts, imaginary
    parts]. With dt the time since the step before, 1 unless ``run(..., dt=...)`` says otherwise::

        lambda = re + 1j * im                                 Parameters  re im step  (H / 2,)
        step_t = exp(step) * dt                                           w.h = [Re B, Im B]   (H, I)
        a_t = exp(lambda * step_t)                                        c   = [Re C, -Im C]  (O, H)
        h_t = a_t * h_tm1 + (a_t - 1) / lambda * (B x_t)                  d   = D              (O, I)
        y_t = 2 * Re(C h_t) + D x_t                           State       h (H,)               Output  y (O,)

    That is the zero-order hold; "bilinear" has a_t = (1 + lambda * step_t / 2) / (1 - lambda * step_t / 2), and B x_t
    times step_t / (1 - lambda * step_t / 2). As in the authors' code with its conjugate symmetry: lambda starts as the
    eigenvalues of `blocks` equal HiPPO-N matrices (one of each pair), B and C in the basis of their eigenvectors, and
    exp(step) log-uniform in (dt_min, dt_max). Its D is diagonal; here it is a full matrix, so that O and I may differ.
    With ``bias=True``, B x_t + b.h in place of B x_t. All of lambda is computed in float32 or wider."""

    uses_dt = True

    bias: bool = False
    features: Size | None = None
    """Number of outputs O (None: hidden_size)."""
    discretization: Literal["zoh", "bilinear"] = "zoh"
    """From continuous time to steps: by zero-order hold, or the bilinear transform."""
    blocks: Size = 1
    """Number of equal HiPPO-N matrices that lambda is from at first; divides hidden_size / 2."""
    dt_min: Positive = 0.001
    """Least exp(step) at first."""
    dt_max: Positive = 0.1
    """Largest exp(step) at first."""
    clip: bool = False
    """Whether re counts as -0.0001 where it is greater, so that no unit can grow."""

    transition = ComplexDiagonal()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.transition.check(self.hidden_size)
        if self.hidden_size // 2 % self.blocks:
            raise UsageError(
                f"S5.blocks is {self.blocks}; accepted: a divisor of {self.hidden_size // 2} complex units"
            )
        if self.dt_min > self.dt_max:
            raise UsageError(f"S5.dt_min is {self.dt_min}; accepted: a number up to dt_max, which is {self.dt_max}")

    @property
    def output_size(self) -> int:
        return self.hidden_size if self.features is None else self.features

    def init(self, key: Key, input_size: int) -> Params:
        key, b_key, c_key, d_key, step_key = jax.random.split(key, 5)
        params, size = super().init(key, input_size), self.hidden_size
        im, vectors = hippo_n(size // self.blocks)
        draw = jax.nn.initializers.lecun_normal(in_axis=0, out_axis=1)  # the code's: by H, whatever I is
        if self.kernel_init is None:
            b = draw(b_key, (size, input_size)).reshape(self.blocks, -1, input_size)
            b = jnp.einsum("np,jni->jpi", vectors.conj(), b).reshape(-1, input_size)
            params["w"]["h"] = jnp.concatenate([b.real, b.imag])
        re, im_c = (draw(k, (size, self.output_size)).T for k in jax.random.split(c_key))
        c = (re + 1j * im_c).reshape(self.output_size, self.blocks, -1)
        c = jnp.einsum("ojn,np->ojp", c, vectors).reshape(self.output_size, -1)
        params["c"] = jnp.concatenate([c.real, -c.imag], 1)
        params["d"] = jax.random.normal(d_key, (self.output_size, input_size)) / math.sqrt(input_size)
        low, high = math.log(self.dt_min), math.log(self.dt_max)
        params["step"] = low + (high - low) * jax.random.uniform(step_key, (size // 2,))
        return params | {"re": jnp.full(size // 2, -0.5), "im": jnp.tile(im, self.blocks)}

    def prepare(self, params: Params) -> Params:
        rates = {name: params[name] for name in _RATES}
        rates = {name: a.astype(jnp.promote_types(a.dtype, jnp.float32)) for name, a in rates.items()}
        if self.clip:
            rates["re"] = jnp.minimum(rates["re"], -1e-4)
        rest = {name: value for name, value in params.items() if name not in _RATES}
        return {**cast(rest, self.dtype), **rates, "step": jnp.exp(rates["step"])}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        x_t, dt = x_t[:-1], x_t[-1]
        return {**super().project(params, x_t), "y": x_t @ params["d"].T, "dt": dt}

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " H"]]:
        step_t = params["step"] * z_t["dt"]
        discretize = _zero_order_hold if self.discretization == "zoh" else _bilinear
        a_t, gain = discretize(params["re"], params["im"], step_t)
        return a_t, self.transition.matvec(gain, z_t["h"])

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        return 2 * (state["h"].astype(params["c"].dtype) @ params["c"].T) + z_t["y"]


def hippo_n(size: int) -> tuple[Float[Array, " P"], Shaped[Array, "N P"]]:
    """Of the normal part of HiPPO-LegS, whose eigenvalues all have the real part -1/2: the negative half of their
    imaginary parts, and the eigenvectors."""
    root = jnp.sqrt(2 * jnp.arange(size) + 1.0)
    lower = jnp.tril(root[:, None] * root, -1) / 2
    im, vectors = jnp.linalg.eigh(-1j * (lower.T - lower))
    vectors = vectors * jnp.exp(-1j * jnp.angle(vectors[:1]))  # their phases are otherwise up to the library
    return im[: size // 2], vectors[:, : size // 2]


def _zero_order_hold(
    re: Float[Array, " P"], im: Float[Array, " P"], step: Float[Array, " P"]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """exp(lambda step), and (exp(lambda step) - 1) / lambda, which is `step` where lambda is 0."""
    grown, cos, sin = jnp.expm1(re * step), jnp.cos(im * step), jnp.sin(im * step)
    a = {"re": (1 + grown) * cos, "im": (1 + grown) * sin}
    less = grown * cos - 2 * jnp.sin(im * step / 2) ** 2  # a.re - 1, without the loss of digits
    square = re**2 + im**2
    safe = jnp.where(square == 0, 1, square)
    gain = jnp.where(square == 0, step, (less * re + a["im"] * im) / safe)
    return a, {"re": gain, "im": (a["im"] * re - less * im) / safe}


def _bilinear(
    re: Float[Array, " P"], im: Float[Array, " P"], step: Float[Array, " P"]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """(1 + lambda step / 2) / (1 - lambda step / 2), and step / (1 - lambda step / 2)."""
    x, y = re * step / 2, im * step / 2
    square = (1 - x) ** 2 + y**2
    return {"re": (1 - x**2 - y**2) / square, "im": 2 * y / square}, {
        "re": step * (1 - x) / square,
        "im": step * y / square,
    }
