"""A convolution over units that have places on a line, in a plane or in space, as in ConvLSTM (Shi et al. 2015).

arXiv:1506.04214"""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import Size, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import refuse
from rnnzoo.structures.spectral import with_unit_radius
from rnnzoo.typing import Array, Connectivity, Float, Key

MEASURED = 16  # places along each axis on which the spectral radius is measured, which hardly depends on their number


@spec
class Convolution(Structure):
    """The H units are an array (*shape, C), flat: C = channels units at each place. All places hear their surroundings
    in the same way, and zeros beyond the edge; u (C, k, ..., k, C) has an axis of size k = kernel for each of `shape`::

        U[p C + i, q C + j] = u[i, q - p + (k - 1) // 2, j]       for places p and q less than k apart

    where p and q stand for a place's number and for its position. Numbers of u by which no two places of such an array
    are apart have no effect; they start at 0, the others uniform in (-c, c), with c such that the spectral radius of U
    is about 1."""

    shape: tuple[Size, ...] | None = None
    """Numbers of places along each axis (None: one axis, of H / channels places)."""
    channels: Size | None = None
    """Units at each place, C (None: hidden_size by the number of places; 1 if there is no `shape` either)."""
    kernel: Size = 3
    """Size k of the surroundings along each axis."""

    closure = Dense()

    @property
    def connectivity(self) -> Connectivity:
        if self.kernel > 2 or self.shape is not None or self.channels not in (None, 1):
            return "cyclic"
        return "self" if self.kernel == 1 else "cascade"

    def sizes(self, size: int) -> tuple[tuple[int, ...], int]:
        """The numbers of places along each axis, and of channels."""
        if self.shape is None:
            channels = self.channels or 1
            return (size // channels,), channels
        return self.shape, self.channels or size // math.prod(self.shape)

    def check(self, size: int) -> None:
        places, channels = self.sizes(size)
        if math.prod(places) * channels == size and size:
            return
        if self.shape is None:
            raise refuse(self, size, f"a multiple of {self.channels} channels")
        count = math.prod(self.shape)
        fits = f"a multiple of {count} places" if self.channels is None else f"{count * self.channels}"
        raise refuse(self, size, fits)

    def _heard(self, places: tuple[int, ...]) -> np.ndarray:
        """Which numbers of a kernel have an effect, (k, ..., k) bools."""
        count = len(places)
        apart = np.abs(np.indices([self.kernel] * count) - (self.kernel - 1) // 2)
        return np.asarray((apart < np.reshape(places, (count, *[1] * count))).all(0))

    def init(self, key: Key, size: int) -> Float[Array, "C ..."]:
        places, channels = self.sizes(size)
        heard = self._heard(places)[None, ..., None]
        u = jax.random.uniform(key, (channels, *heard.shape[1:-1], channels), minval=-1.0, maxval=1.0)
        fewer = tuple(min(n, max(MEASURED, self.kernel)) for n in places)
        measured = dataclasses.replace(self, shape=fewer, channels=channels)
        return with_unit_radius(measured, jnp.where(heard, u, 0), math.prod(fewer) * channels)

    def matvec(self, u: Float[Array, "C ..."], h: Float[Array, " H"]) -> Float[Array, " H"]:
        places, channels = self.sizes(h.shape[0])
        return convolve(u, h.reshape(*places, channels)).reshape(-1)

    def num_params(self, size: int) -> int:
        places, channels = self.sizes(size)
        return int(self._heard(places).sum()) * channels**2

    def nonzeros(self, size: int) -> int:
        places, channels = self.sizes(size)
        apart = np.abs(np.arange(self.kernel) - (self.kernel - 1) // 2)
        pairs = math.prod(int(np.maximum(n - apart, 0).sum()) for n in places)
        return pairs * channels**2

    def flops_per_step(self, size: int) -> int:
        return 2 * self.nonzeros(size)


def convolve(w: Float[Array, "O ..."], x: Float[Array, "..."]) -> Float[Array, "..."]:
    """What kernels w (O, k, ..., k, I) make of x (*shape, I), with zeros beyond the edge: y (*shape, O), at a place p
    the sum over d of w[:, d] x[p + d - (k - 1) // 2]."""
    kernel, places = w.shape[1:-1], x.shape[:-1]
    padded = jnp.pad(x, [*(((k - 1) // 2, k // 2) for k in kernel), (0, 0)])
    shifted = [padded[tuple(slice(d, d + n) for d, n in zip(ds, places, strict=True))] for ds in np.ndindex(*kernel)]
    seen = jnp.stack(shifted, -2).reshape(*places, -1)  # (*shape, k ... k I)
    return seen @ w.reshape(w.shape[0], -1).T
