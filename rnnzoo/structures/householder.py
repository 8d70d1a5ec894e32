"""Products of reflections, so that U stays orthogonal (Mhammedi et al. 2017, arXiv:1612.00188)."""

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular

from rnnzoo.spec import Size, spec
from rnnzoo.structures.base import Structure
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import refuse
from rnnzoo.typing import Array, Float, Key


@spec
class Householder(Structure):
    """U = R_0 R_1 ... with n = count reflections, u (n, H)::

        R_k = I - 2 u[k] u[k]^T / (u[k]^T u[k])

    All n at once in the form U = I - v^T t v (Joffrain et al. 2006), at a cost of 4 n H a step. `materialize` gives v
    (n, H), the u[k] with norm 1, and t (n, n), a triangular matrix. Initially u is normal: reflections
    uniform over all directions. The lengths of the u[k] are redundant, but a u[k] = 0 reflects nothing: R_k = I. H
    reflections make any orthogonal matrix with the determinant (-1)^H. The paper has u[k] with k leading zeros."""

    count: Size = 4
    """Number of reflections; at most hidden_size."""

    connectivity = "cyclic"
    closure = Dense()

    def check(self, size: int) -> None:
        if self.count > size:
            raise refuse(self, size, f"count from 1 to {size}")

    def init(self, key: Key, size: int) -> Float[Array, "n H"]:
        return jax.random.normal(key, (self.count, size))

    def materialize(self, u: Float[Array, "n H"]) -> dict[str, Array]:
        v = u.astype(jnp.promote_types(u.dtype, jnp.float32))  # not implemented for narrower types
        squares = (v**2).sum(1, keepdims=True)
        v /= jnp.sqrt(jnp.where(squares > 0, squares, 1))  # dropout can leave a vector of zeros; 0 / 0 has no gradient
        overlaps = v @ v.T
        inverse = jnp.triu(overlaps, 1) + jnp.eye(self.count, dtype=v.dtype) / 2
        t = solve_triangular(inverse, jnp.eye(self.count, dtype=v.dtype))
        return {"v": v.astype(u.dtype), "t": t.astype(u.dtype)}

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return h - (u["t"] @ (u["v"] @ h)) @ u["v"]

    def nonzeros(self, size: int) -> int:
        return size**2

    def flops_per_step(self, size: int) -> int:
        return 2 * self.count * (2 * size + self.count)
