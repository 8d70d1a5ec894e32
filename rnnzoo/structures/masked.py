"""A structure with entries cut out by a fixed pattern, such as Dale's law in a sparse network (Song et al. 2016)."""

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra, Structure, reals
from rnnzoo.structures.dale import Dale
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import refuse
from rnnzoo.structures.patterns import Pattern, RandomRows, too_large
from rnnzoo.structures.spectral import pattern, random_parameters
from rnnzoo.typing import Array, Connectivity, Float, Key, PyTree


@spec
class Masked(Structure):
    """U_ij = V_ij where `by` has an edge j -> i, else 0, with V of `structure`::

        Parameters  full   those of V, drawn as without a mask
                    size   (H, 0), no numbers: it tells `materialize` what H is

    `materialize` gives U itself, (H, H), at the cost of H products by V. A mask can only remove cycles: connectivity
    is that of V. If V may be any matrix, `SparseMask` is cheaper."""

    structure: Structure = Dale()
    """The structure of V."""
    by: Pattern = RandomRows()
    """Which entries stay; not trained."""

    @property
    def connectivity(self) -> Connectivity:
        return self.structure.connectivity

    closure = Dense()

    @property
    def jacobian(self) -> Algebra:
        return self.structure.jacobian

    def check(self, size: int) -> None:
        if accepted := self.by.refuses(size) or too_large(size):  # `materialize` draws the mask, be it only traced
            raise refuse(self, size, accepted)
        self.structure.check(size)

    def init(self, key: Key, size: int) -> dict[str, PyTree]:
        return {"full": self.structure.init(key, size), "size": jnp.zeros((size, 0))}

    def shapes(self, size: int) -> PyTree:
        return {"full": self.structure.shapes(size), "size": reals(size, 0)}

    def materialize(self, u: dict[str, PyTree]) -> Float[Array, "H H"]:
        size, dtype = u["size"].shape[0], u["size"].dtype
        v = self.structure.materialize(u["full"])
        return jax.vmap(self.structure.matvec, (None, 0), 1)(v, jnp.eye(size, dtype=dtype)) * self.by.mask(size)

    def matvec(self, u: Float[Array, "H H"], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return u @ h

    def num_params(self, size: int) -> int:
        with jax.ensure_compile_time_eval():
            weights = jax.random.normal(jax.random.key(2), (size, size))
            grads = jax.grad(lambda u: (weights * self.materialize(u)).sum())(random_parameters(self, size))
            return sum(int(np.count_nonzero(g)) for g in jax.tree.leaves(grads))

    def nonzeros(self, size: int) -> int:
        return int((pattern(self.structure, size) & self.by.mask(size)).sum())

    def flops_per_step(self, size: int) -> int:
        return 2 * size**2
