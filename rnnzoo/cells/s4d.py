"""Diagonal state spaces, S4D (Gu et al. 2022). arXiv:2206.11893"""

import functools
import math
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.cells.base import Affine
from rnnzoo.spec import Positive, Size, UsageError, spec
from rnnzoo.structures.complex_diagonal import ComplexDiagonal
from rnnzoo.typing import Array, Float, Key, Params, PyTree, Shaped, State, cast


@spec
class S4D(Affine):
    """H channels, each with P complex numbers of its own::

        u_t = W x_t + b                                   Parameters  w.h (H, I)   b.h (H,)
        A = -exp(a_re) + 1j * a_im                                    a_re a_im b_re b_im c_re c_im  (H, P)
        h_t = exp(s A) * h_tm1                                        step d  (H,)
            + (exp(s A) - 1) / A * B * u_t                State       h (2 H P,) = [real parts, imaginary parts]
        y_t = 2 Re(sum of C * h_t over P) + d * u_t       Output      y (H,)

    with B = b_re + 1j b_im, C likewise, and s = exp(step), or exp(step) times the elapsed time with `elapsed`. The P
    numbers stand for P conjugate pairs, N = 2 P in the paper. W and b map any number of inputs to the paper's channels.
    B is trained, too, as in the authors' complete code, and starts at 1; C, d and the steps start as there. For "legs"
    B starts in the basis in which it is positive, since C makes up for its phase, and without that code's clipping.
    A and s are computed in float32 or wider whatever `dtype` is."""

    pairs: Size = 32
    """Complex numbers P in the state of a channel."""
    frequencies: Literal["lin", "inv", "legs"] = "lin"
    """How a_im and B start: S4D-Lin, pi n; S4D-Inv, N / pi (N / (2 n + 1) - 1); or S4D-LegS, eigenvalues of the normal
    part of the HiPPO-LegS matrix. a_re starts at log 1/2 in all."""
    discretization: Literal["zoh", "bilinear"] = "zoh"
    """By a zero-order hold, as above; or h_t = (1 + s A / 2) / (1 - s A / 2) h_tm1 + s / (1 - s A / 2) B u_t."""
    step_min: Positive = 0.001
    """The shortest step exp(step) at first."""
    step_max: Positive = 0.1
    """The longest step at first; steps are log-uniform between the two."""
    elapsed: bool = False
    """Whether steps are multiplied by the elapsed time, ``run(..., dt=...)``."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step_min > self.step_max:
            raise UsageError(f"S4D.step_min is {self.step_min}; accepted: up to step_max, which is {self.step_max}")

    transition = ComplexDiagonal()

    @property
    def state_size(self) -> int:
        return 2 * self.hidden_size * self.pairs

    @property
    def uses_dt(self) -> bool:
        return self.elapsed

    def init(self, key: Key, input_size: int) -> Params:
        key, step_key, re_key, im_key, d_key = jax.random.split(key, 5)
        shape = self.hidden_size, self.pairs
        frequency, b = _start(self.frequencies, self.pairs)
        low, high = math.log(self.step_min), math.log(self.step_max)
        return super().init(key, input_size) | {
            "a_re": jnp.full(shape, math.log(0.5)),
            "a_im": jnp.broadcast_to(jnp.asarray(frequency, float), shape),
            "b_re": jnp.broadcast_to(jnp.asarray(b, float), shape),
            "b_im": jnp.zeros(shape),
            "c_re": jax.random.normal(re_key, shape) / 2**0.5,
            "c_im": jax.random.normal(im_key, shape) / 2**0.5,
            "step": jax.random.uniform(step_key, shape[:1], minval=low, maxval=high),
            "d": jax.random.normal(d_key, shape[:1]),
        }

    def prepare(self, params: Params) -> Params:
        system = {name: params[name] for name in ("a_re", "a_im", "b_re", "b_im", "step")}
        system = {name: a.astype(jnp.promote_types(a.dtype, jnp.float32)) for name, a in system.items()}
        rest = cast({name: value for name, value in params.items() if name not in system}, self.dtype)
        return {**rest, **(system if self.elapsed else self._discrete(system, 1.0))}

    def project(self, params: Params, x_t: Float[Array, " I"]) -> PyTree:
        if not self.elapsed:
            return super().project(params, x_t)
        return {**super().project(params, x_t[:-1]), "dt": x_t[-1]}

    def affine(self, params: Params, z_t: PyTree) -> tuple[PyTree, Float[Array, " S"]]:
        discrete = self._discrete(params, z_t["dt"]) if self.elapsed else params
        b_t = jnp.stack([discrete["gain_re"], discrete["gain_im"]]) * z_t["h"][:, None]
        return discrete["a"], b_t.reshape(-1)

    def readout(self, params: Params, state: State, z_t: PyTree) -> Float[Array, " O"]:
        re, im = state["h"].reshape(2, self.hidden_size, self.pairs)
        return 2 * (params["c_re"] * re - params["c_im"] * im).sum(-1) + params["d"] * z_t["h"]

    def _discrete(self, params: Params, dt: Float[Array, ""] | float) -> Params:
        """The transition, and what the input is multiplied by."""
        a = jax.lax.complex(-jnp.exp(params["a_re"]), params["a_im"])
        step = (jnp.exp(params["step"]) * dt)[:, None]
        decay, gain = _discretized(a, step, self.discretization)
        gain = gain * jax.lax.complex(params["b_re"], params["b_im"])
        a_t = {"re": decay.real.reshape(-1), "im": decay.imag.reshape(-1)}
        return {"a": a_t, "gain_re": gain.real, "gain_im": gain.imag}


def _discretized(a: Shaped[Array, "H P"], step: Float[Array, "H 1"], how: str) -> tuple[Array, Array]:
    """From dh/dt = A h + u to h_t = decay h_tm1 + gain u_t."""
    if how == "zoh":
        return jnp.exp(step * a), jnp.expm1(step * a) / a
    half = step * a / 2
    return (1 + half) / (1 - half), step / (1 - half)


@functools.lru_cache(maxsize=64)
def _start(frequencies: str, pairs: int) -> tuple[np.ndarray, np.ndarray]:
    """The imaginary parts of A and the numbers B at first, each (P,)."""
    n, order = np.arange(pairs), 2 * pairs
    if frequencies == "lin":
        return np.pi * n, np.ones(pairs)
    if frequencies == "inv":
        return order / np.pi * (order / (2 * n + 1) - 1), np.ones(pairs)
    b = np.sqrt(2 * np.arange(order) + 1)  # of HiPPO-LegS, whose normal part is S - I / 2, S antisymmetric
    s = np.triu(np.outer(b, b) / 2, 1)
    values, vectors = np.linalg.eigh(-1j * (s - s.T))
    return values[pairs:], np.abs(vectors[:, pairs:].conj().T @ b)
