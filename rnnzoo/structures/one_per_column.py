"""One number in each column, in a row that is learned: P D of PD-SSM (Terzic et al. 2025). arXiv:2509.22284"""

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.dense import Dense
from rnnzoo.typing import Array, Float, Int, Key


@spec
class OnePerColumn(Algebra):
    """Every unit is heard by one unit, the one with the highest score::

        U[i, j] = value[j] if i = argmax(score[:, j]) else 0          Parameters  score (H, H), value (H,)

    A product takes O(H) operations: prepared matrices are lists of rows. The choice has a straight-through gradient, as
    in the authors' JAX code: that of softmax(score[:, j]) in its place. Initially scores are normal, and values 1."""

    connectivity = "cyclic"
    additive = False
    jacobian = Dense()

    def init(self, key: Key, size: int) -> dict[str, Array]:
        return {"score": jax.random.normal(key, (size, size)) / size**0.5, "value": jnp.ones(size)}

    def materialize(self, u: dict[str, Array]) -> dict[str, Array]:
        return {**chosen(u["score"]), "value": u["value"]}

    def bare(self, a: dict[str, Array]) -> dict[str, Array]:
        return {name: a[name] for name in ("row", "value")}

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return moved(u, u["value"] * h)

    def nearest(self, dense: Float[Array, "H H"]) -> dict[str, Array]:
        row = jnp.argmax(jnp.abs(dense), 0)
        return {"score": jnp.abs(dense), "value": jnp.take_along_axis(dense, row[None], 0)[0]}

    def nonzeros(self, size: int) -> int:
        return size**2

    def flops_per_step(self, size: int) -> int:
        return 2 * size

    def compose(self, a: dict[str, Array], b: dict[str, Array]) -> dict[str, Array]:
        return {"row": a["row"][b["row"]], "value": a["value"][b["row"]] * b["value"]}

    def identity(self, size: int) -> dict[str, Array]:
        return {"score": jnp.eye(size), "value": jnp.ones(size)}

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.eye(size)

    def from_probes(self, columns: Float[Array, "P H"]) -> dict[str, Array]:
        return self.nearest(columns.T)


def chosen(score: Float[Array, "N N"]) -> dict[str, Array]:
    """The row with the highest score in each column, and what the gradient takes for the choice."""
    return {"row": jnp.argmax(score, 0).astype(jnp.int32), "soft": jax.nn.softmax(score, 0)}


def moved(a: dict[str, Array], v: Float[Array, "... N"]) -> Float[Array, "... N"]:
    """P v, with P[row[j], j] = 1; its derivative by P is one by `soft`, where `a` has it."""
    return _moved_softly(a["row"], a["soft"], v) if "soft" in a else _moved(a["row"], v)


def _moved(row: Int[Array, " N"], v: Float[Array, "... N"]) -> Float[Array, "... N"]:
    return jnp.zeros_like(v).at[..., row].add(v)


@jax.custom_jvp
def _moved_softly(row: Int[Array, " N"], soft: Float[Array, "N N"], v: Float[Array, "... N"]) -> Float[Array, "... N"]:
    return _moved(row, v)


@_moved_softly.defjvp
def _moved_softly_jvp(primals, tangents):
    (row, soft, v), (_, dsoft, dv) = primals, tangents
    return _moved_softly(row, soft, v), _moved_softly(row, soft, dv) + v @ dsoft.T.astype(v.dtype)


__all__ = ["OnePerColumn", "chosen", "moved"]
