"""Circulant: a ring in which all units hear their surroundings in the same way, by the fast Fourier transform (Cheng et
al. 2015, arXiv:1502.03436)."""

import jax
import jax.numpy as jnp
from jax.numpy import fft

from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, Shaped


@spec
class Circulant(Algebra):
    """Diagonals that wrap around, with one number each; u (H,) is the first column::

        U[i, j] = u[(i - j) mod H]

    U h is a circular convolution, so the Fourier transform of u has the eigenvalues. Initially uniform in (-c, c), with
    c such that the spectral radius is 1."""

    connectivity = "cyclic"
    jacobian = Dense()

    def init(self, key: Key, size: int) -> Float[Array, " H"]:
        u = jax.random.uniform(key, (size,), minval=-1.0, maxval=1.0)
        return u / jnp.abs(fft.rfft(u)).max()

    def matvec(self, u: Float[Array, " H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return convolve(u, h, h.shape[0])

    def eigenvalues(self, u: Float[Array, " H"], size: int) -> Shaped[Array, " H"]:
        return fft.fft(u)

    def nonzeros(self, size: int) -> int:
        return size**2

    def flops_per_step(self, size: int) -> int:
        return 8 * size * size.bit_length()

    def compose(self, a: Float[Array, " H"], b: Float[Array, " H"]) -> Float[Array, " H"]:
        return convolve(a, b, a.shape[0])

    def identity(self, size: int) -> Float[Array, " H"]:
        return jnp.zeros(size).at[0].set(1)

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.zeros((1, size)).at[0, 0].set(1)

    def from_probes(self, columns: Float[Array, "P H"]) -> Float[Array, " H"]:
        return columns[0]


def convolve(a: Float[Array, " N"], b: Float[Array, " M"], length: int) -> Float[Array, " L"]:
    """The circular convolution of period `length`. Transforms are in float32 or wider: JAX has no narrower ones."""
    dtype = jnp.result_type(a, b)
    wide = jnp.promote_types(dtype, jnp.float32)
    product = fft.rfft(a.astype(wide), length) * fft.rfft(b.astype(wide), length)
    return fft.irfft(product, length).astype(dtype)
