"""One complex number in each column, in real form: the transitions of PD-SSM (Terzic et al. 2025). arXiv:2509.22284"""

import math

import jax
import jax.numpy as jnp

from rnnzoo.spec import spec
from rnnzoo.structures.base import Algebra
from rnnzoo.structures.dense import Dense
from rnnzoo.structures.factors import check_even
from rnnzoo.structures.one_per_column import chosen, moved
from rnnzoo.typing import Array, Float, Key


@spec
class ComplexOnePerColumn(Algebra):
    """`OnePerColumn` with N = H / 2 complex units. h = [real parts (N,), imaginary parts (N,)]::

        U = [[Re V, -Im V],                                           Parameters  score (N, N), re im (N,)
             [Im V,  Re V]]
        V[i, j] = re[j] + 1j im[j] if i = argmax(score[:, j]) else 0

    Initially scores are normal, and abs(re + 1j im) is 1 with a uniform phase."""

    connectivity = "cyclic"
    additive = False
    jacobian = Dense()

    def check(self, size: int) -> None:
        check_even(self, size)

    def init(self, key: Key, size: int) -> dict[str, Array]:
        score_key, phase_key = jax.random.split(key)
        phase = jax.random.uniform(phase_key, (size // 2,), maxval=2 * math.pi)
        score = jax.random.normal(score_key, (size // 2, size // 2)) / (size / 2) ** 0.5
        return {"score": score, "re": jnp.cos(phase), "im": jnp.sin(phase)}

    def materialize(self, u: dict[str, Array]) -> dict[str, Array]:
        return {**chosen(u["score"]), "re": u["re"], "im": u["im"]}

    def bare(self, a: dict[str, Array]) -> dict[str, Array]:
        return {name: a[name] for name in ("row", "re", "im")}

    def matvec(self, u: dict[str, Array], h: Float[Array, " H"]) -> Float[Array, " H"]:
        return moved(u, jnp.stack(_times(u["re"], u["im"], *jnp.split(h, 2)))).reshape(-1)

    def nearest(self, dense: Float[Array, "H H"]) -> dict[str, Array]:
        n = dense.shape[0] // 2
        re = (dense[:n, :n] + dense[n:, n:]) / 2
        im = (dense[n:, :n] - dense[:n, n:]) / 2
        return _greatest(re, im)

    def nonzeros(self, size: int) -> int:
        return size**2

    def flops_per_step(self, size: int) -> int:
        return 4 * size

    def compose(self, a: dict[str, Array], b: dict[str, Array]) -> dict[str, Array]:
        re, im = _times(a["re"][b["row"]], a["im"][b["row"]], b["re"], b["im"])
        return {"row": a["row"][b["row"]], "re": re, "im": im}

    def identity(self, size: int) -> dict[str, Array]:
        n = size // 2
        return {"score": jnp.eye(n), "re": jnp.ones(n), "im": jnp.zeros(n)}

    def probes(self, size: int) -> Float[Array, "P H"]:
        return jnp.eye(size // 2, size)

    def from_probes(self, columns: Float[Array, "P H"]) -> dict[str, Array]:
        return _greatest(*jnp.split(columns.T, 2))


def _times(a_re: Array, a_im: Array, b_re: Array, b_im: Array) -> tuple[Array, Array]:
    """The product of complex numbers."""
    return a_re * b_re - a_im * b_im, a_re * b_im + a_im * b_re


def _greatest(re: Float[Array, "N N"], im: Float[Array, "N N"]) -> dict[str, Array]:
    """The member that keeps the greatest number of each column."""
    score = re**2 + im**2
    row = jnp.argmax(score, 0)[None]
    return {"score": score, "re": jnp.take_along_axis(re, row, 0)[0], "im": jnp.take_along_axis(im, row, 0)[0]}
