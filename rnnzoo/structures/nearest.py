"""From one structure of U to another: the nearest member of a family, and growth into a wider family.

`grow` continues a trained U with more freedom and the same function at the start, as in Subakan & Smaragdis's
training of a full U from a diagonal one ("diag_to_full"; 2017, arXiv:1704.05420).
"""

import functools
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.scipy.sparse.linalg import cg

from rnnzoo.spec import UsageError
from rnnzoo.structures.base import Structure
from rnnzoo.structures.spectral import random_parameters
from rnnzoo.typing import Array, Float, PyTree

Kind = Literal["orthogonal", "linear", "nonlinear"]


def nearest(dense: Any, structure: Structure) -> tuple[PyTree, float]:
    """The member of `structure` nearest to an (H, H) matrix, in the Frobenius norm: ``(u, error)``.

    `error` is the distance relative to the norm of `dense` (or itself, if `dense` is 0), after rounding u to the
    default precision. The member is the nearest one if U is linear in u, or if the structure has a closed form
    (`Structure.nearest`). For others, such as products of reflections, it is the best of a few descents, which may miss
    the nearest one; they start from matrices of norm 1 or so, and are worst for a `dense` of another scale.

    Raises:
        UsageError: a matrix that is not square, real and finite, or a size that the structure does not fit.

    >>> from rnnzoo.structures import Diagonal
    >>> u, error = nearest([[3.0, 0.0], [4.0, 0.0]], Diagonal())
    >>> u.tolist(), error
    ([3.0, 0.0], 0.8)
    """
    return _nearest(dense, structure, jnp.result_type(float))


def grow(structure: Structure, u: PyTree, into: Structure, *, size: int) -> PyTree:
    """The (size, size) matrix with parameters u in `structure`, as a member of `into`: its parameters there.

    Exact up to rounding. `UsageError` if `into` does not contain this matrix; the message has the relative error of the
    nearest one that it contains."""
    dtype = jnp.result_type(*jax.tree.leaves(u), jnp.float32)
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), u)
        dense = np.asarray(jax.jit(structure.matrix, static_argnums=1)(wide, size))
    grown, error = _nearest(dense, into, dtype)
    if not error <= 100 * jnp.finfo(dtype).eps:
        raise UsageError(
            f"{into} cannot hold this matrix of {structure}: the nearest one that it holds differs by {error:.2g} of "
            f"its norm; accepted: a structure that contains {structure}"
            + (f", such as {structure.closure}" if structure.closure != into else "")
        )
    return grown


def real_finite(what: str, matrix: Any) -> np.ndarray:
    """The matrix in float64; `UsageError` if it is complex, or not finite."""
    if np.iscomplexobj(matrix := np.asarray(matrix)):
        raise UsageError(f"{what} is {matrix.dtype}; accepted: real numbers")
    if not np.isfinite(matrix := np.asarray(matrix, np.float64)).all():
        raise UsageError(f"{what} has entries that are not finite; accepted: finite numbers")
    return matrix


def _nearest(dense: Any, structure: Structure, dtype: Any) -> tuple[PyTree, float]:
    dense = real_finite("the matrix", dense)
    if dense.ndim != 2 or dense.shape[0] != dense.shape[1]:
        raise UsageError(f"the matrix has shape {dense.shape}; accepted: (H, H)")
    structure.check(dense.shape[0])
    with jax.enable_x64(True):
        u, found = _fit(structure, jnp.dtype(dtype), jnp.asarray(dense))
        error = float(np.linalg.norm(np.asarray(found, np.float64) - dense))
    return u, error / (float(np.linalg.norm(dense)) or 1.0)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _fit(structure: Structure, dtype: Any, dense: Float[Array, "H H"]) -> tuple[PyTree, Float[Array, "H H"]]:
    """The nearest member's parameters in `dtype`, and the matrix of those."""
    u = jax.tree.map(lambda a: a.astype(dtype), nearest_member(structure, dense))
    return u, structure.matrix(jax.tree.map(lambda a: a.astype(dense.dtype), u), dense.shape[0])


# ---- the default of `Structure.nearest` ------------------------------------------------------------------


def nearest_member(structure: Structure, dense: Float[Array, "H H"]) -> PyTree:
    """The parameters of the nearest member if U is linear in u, otherwise of the one that `descend` finds.

    If every entry of U is one number of u, that number is the mean of the entries of `dense` that it stands for. If
    entries are sums of several numbers, conjugate gradients solve the normal equations. No array is larger than U. Runs
    under `jit`."""
    if (known := structure.nearest(dense)) is not None:
        return known
    size = dense.shape[0]
    like = structure.shapes(size)
    if not jax.tree.leaves(like):
        return like
    kind = dependence(structure, size)
    if kind == "nonlinear":
        return descend(structure, dense)
    gram, pull, offset = _normal(structure, size, dense.dtype)
    target = pull(dense - offset)
    if kind == "orthogonal":
        counts = gram(jax.tree.map(jnp.ones_like, target))
        return jax.tree.map(lambda t, n: jnp.where(n > 0, t / jnp.where(n > 0, n, 1), 0), target, counts)
    return cg(gram, target, tol=10 * float(jnp.finfo(dense.dtype).eps), maxiter=10 * size)[0]


@functools.lru_cache(maxsize=256)
def dependence(structure: Structure, size: int) -> Kind:
    """How U depends on u: "nonlinear", "linear", or "orthogonal": linear, and no two numbers of u change the same entry
    of U (more generally, changes by different numbers are orthogonal). Tested in random directions, which gives the
    right answer with probability 1."""

    @jax.jit
    def compare(u: PyTree, v: PyTree, d: PyTree) -> tuple[Array, Array]:
        matrix = functools.partial(structure.matrix, size=size)
        here, there = (jax.jvp(matrix, (point,), (d,))[1] for point in (u, v))
        gram, _, _ = _normal(structure, size, here.dtype)
        counts = gram(jax.tree.map(jnp.ones_like, d))
        return _relative_distance(here, there), _relative_distance(gram(d), jax.tree.map(jnp.multiply, counts, d))

    with jax.ensure_compile_time_eval():
        draws = (random_parameters(structure, size, seed) for seed in range(3))
        bent, mixed = (bool(x > 1e-4) for x in compare(*draws))
    return "nonlinear" if bent else "linear" if mixed else "orthogonal"


def _normal(structure: Structure, size: int, dtype: Any) -> Any:
    """For U = offset + J u: the functions u -> J^T J u and U -> J^T U, and the offset."""
    like = structure.shapes(size)
    zeros = jax.tree.map(lambda a: jnp.zeros(a.shape, dtype), like)
    offset, pull = jax.vjp(functools.partial(structure.matrix, size=size), zeros)

    def transpose(dense: Array) -> PyTree:
        return pull(dense.astype(offset.dtype))[0]

    return lambda u: transpose(structure.matrix(u, size) - offset), transpose, offset


def _relative_distance(a: PyTree, b: PyTree) -> Array:
    """The distance between a and b, relative to the norm of a."""
    a, b = (ravel_pytree(tree)[0] for tree in (a, b))
    return jnp.linalg.norm(a - b) / jnp.maximum(jnp.linalg.norm(a), jnp.finfo(a.dtype).tiny)


def descend(structure: Structure, dense: Float[Array, "H H"], starts: int = 3, steps: int = 60) -> PyTree:
    """The parameters of a member near `dense`: the best of a few Levenberg-Marquardt descents from random members.

    It may not be the nearest, since the distance can have several local minima. No array is larger than U."""
    size = dense.shape[0]
    drawn = [structure.init(jax.random.key(seed), size) for seed in range(starts)]
    unravel = ravel_pytree(drawn[0])[1]

    def gap(x: Array) -> Array:
        return structure.matrix(unravel(x), size) - dense

    def step(_: Any, carry: Any) -> Any:
        x, damping, r = carry
        _, push = jax.linearize(gap, x)
        pull = jax.linear_transpose(push, x)
        change, _ = cg(lambda p: pull(push(p))[0] + damping * p, pull(-r)[0], tol=1e-10, maxiter=2 * size)
        new = gap(x + change)
        better = jnp.sum(new**2) < jnp.sum(r**2)
        return jnp.where(better, x + change, x), damping * jnp.where(better, 0.2, 4.0), jnp.where(better, new, r)

    def one(x: Array) -> tuple[Array, Array]:
        x, _, r = lax.fori_loop(0, steps, step, (x, jnp.ones((), x.dtype), gap(x)))
        return x, jnp.sum(r**2)

    xs, distances = lax.map(one, jnp.stack([ravel_pytree(u)[0] for u in drawn]))
    return unravel(xs[jnp.argmin(distances)])


__all__ = ["dependence", "descend", "grow", "nearest", "nearest_member", "real_finite"]
