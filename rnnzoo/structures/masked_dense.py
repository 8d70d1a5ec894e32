"""A pattern of zeros that is data, so that matrices of all patterns share one compiled program."""

from typing import Any

import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Structure, reals
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Key, PyTree


@spec
class MaskedDense(Structure):
    """U_ij = weights_ij where mask_ij is not 0, else 0. The pattern is an array, not a field::

        Parameters  weights (H, H)  initially orthogonal
                    mask    (H, H)  initially ones; never trained, since its gradient is 0

    A band, blocks, a ring, ... of the same size are then one program, and `jax.vmap` runs several of them at once:
    ``{"weights": s.matrix(u, H), "mask": ...}`` starts from the matrix of any structure s (`with_pattern`). A step
    costs as much as with a dense U. `SparseMask` stores and multiplies by the entries of a fixed pattern alone."""

    connectivity = "cyclic"
    closure = Dense()

    def init(self, key: Key, size: int) -> dict[str, Array]:
        return with_pattern(Dense().init(key, size), jnp.ones((size, size)))

    def shapes(self, size: int) -> PyTree:
        return {"weights": reals(size, size), "mask": reals(size, size)}

    def materialize(self, u: dict[str, Array]) -> Float[Array, "H H"]:
        return jnp.where(u["mask"] != 0, u["weights"], 0)

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h

    def nearest(self, dense: Float[Array, "H H"]) -> dict[str, Array]:
        return with_pattern(dense, jnp.ones_like(dense))

    def num_params(self, size: int) -> int:
        return size**2


def with_pattern(weights: Float[Array, "H H"], mask: Any) -> dict[str, Array]:
    """The parameters of `MaskedDense` with these weights where the mask (H, H) is not 0."""
    return {"weights": weights, "mask": jnp.asarray(mask).astype(weights.dtype)}
