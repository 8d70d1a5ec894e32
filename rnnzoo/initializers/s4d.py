"""Eigenvalues of a discretised diagonal state space (Gu et al. 2022, S4D, sections 3.4 and 4, arXiv:2206.11893)."""

import math
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.initializers.base import Initializer, holds_matrix, kernel_error, probe_size
from rnnzoo.spec import Positive, Size, UsageError, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.nearest import nearest_member
from rnnzoo.typing import Array, Key, PyTree


@spec
class S4D(Initializer):
    """Eigenvalues exp(step (-1/2 + 1j f_n)) and conjugates, all of modulus below 1 (zero-order hold)::

        f_n = pi n                                 "lin": S4D-Lin, a damped Fourier basis
        f_n = N / pi (N / (2 n + 1) - 1)           "inv": S4D-Inv, after the HiPPO-LegS matrix; N = 2 pairs

    with n = 0 .. pairs - 1. The H / 2 pairs of U are cut into groups of `pairs`; as in the paper, each group has one
    step, log-uniform in (step_min, step_max). Unit i < H / 2 is the real part of pair i, i + H / 2 the imaginary."""

    examples = ("ComplexDiagonal", "Dense")

    frequencies: Literal["lin", "inv"] = "lin"
    """Which frequencies f_n."""
    pairs: Size = 32
    """Conjugate pairs in a group; the paper's state size N is twice that."""
    step_min: Positive = 0.001
    """The shortest step."""
    step_max: Positive = 0.1
    """The longest step."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step_min > self.step_max:
            raise UsageError(f"S4D.step_min is {self.step_min}; accepted: up to step_max = {self.step_max}")

    def refuses(self, structure: Structure, size: int) -> str | None:
        if size % 2:
            return "an odd hidden_size has no pairs"
        angle = np.linspace(0.1, 3, probe_size(structure, size) // 2)
        pairs = _pairs(np.cos(angle), np.sin(angle), np)
        return None if holds_matrix(structure, pairs) else "it does not contain all complex pairs"

    def kernel(self, key: Key, shape: tuple[int, ...]) -> Array:
        raise kernel_error(self)

    def matrix(self, key: Key, structure: Structure, size: int) -> PyTree:
        self.require(structure, size)
        groups = -(-size // (2 * self.pairs))
        low, high = math.log(self.step_min), math.log(self.step_max)
        steps = jnp.exp(jax.random.uniform(key, (groups, 1), minval=low, maxval=high))
        n, order = np.arange(self.pairs), 2 * self.pairs
        f = np.pi * n if self.frequencies == "lin" else order / np.pi * (order / (2 * n + 1) - 1)
        radius, angle = jnp.exp(-steps / 2), steps * f
        re, im = ((radius * wave(angle)).reshape(-1)[: size // 2] for wave in (jnp.cos, jnp.sin))
        return nearest_member(structure, _pairs(re, im))


def _pairs(re: Any, im: Any, numpy: Any = jnp) -> Any:
    """[[diag(re), -diag(im)], [diag(im), diag(re)]]."""
    diag = numpy.diag
    return numpy.block([[diag(re), -diag(im)], [diag(im), diag(re)]])
