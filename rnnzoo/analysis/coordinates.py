"""Linear recurrences h_t = U h_tm1 + W x_t, y_t = V h_t in coordinates of h where U is diagonal or a Jordan form.

The question (Cross Validated 210111) remarks that a change of basis makes U diagonal or a Jordan form. In coordinates
h' = P^-1 h, the recurrence with U' = P^-1 U P, W' = P^-1 W and V' = V P has the same outputs for all inputs: outputs
depend only on V U^k W, and V' U'^k W' = V U^k W (`markov`). With a nonlinearity between the steps this no longer holds.
NumPy, float64.
"""

import dataclasses
from typing import Any

import numpy as np

from rnnzoo.spec import UsageError
from rnnzoo.structures.nearest import real_finite

Matrix = Any  # a NumPy array, real or complex


@dataclasses.dataclass(frozen=True)
class Realisation:
    """A recurrence in the coordinates h' with h = basis h', which has the same outputs as the original."""

    u: Matrix  # (H, H)
    w: Matrix  # (H, I)
    v: Matrix  # (O, H)
    basis: Matrix  # (H, H)
    condition: float  # condition number of the basis: the factor by which rounding errors may grow


def markov(u: Any, w: Any, v: Any, length: int) -> Matrix:
    """The Markov parameters V U^k W for k = 0 .. length - 1, (length, O, I), which determine the outputs."""
    u, power, v = np.asarray(u), np.asarray(w), np.asarray(v)
    found = []
    for _ in range(length):
        found.append(v @ power)
        power = u @ power
    return np.stack(found) if found else np.zeros((0, v.shape[0], power.shape[1]))


def same_map(one: Realisation, u: Any, w: Any, v: Any, tolerance: float = 1e-8) -> bool:
    """Whether the two recurrences have the same outputs for all inputs of any length.

    By the Cayley-Hamilton theorem it is enough to compare V U^k W for k < 2 H."""
    length = 2 * len(one.u)
    ours, theirs = markov(one.u, one.w, one.v, length), markov(u, w, v, length)
    return bool(np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max(initial=1e-300))


def to_diagonal(u: Any, w: Any, v: Any, *, real: bool = False, limit: float = 1e8) -> Realisation:
    """Coordinates in which U is diagonal and complex, or, with `real`, has a block [[re, -im], [im, re]] for each
    conjugate pair.

    With `real`, single real eigenvalues come first, then the pairs, each in units i and i + 1. Nearly every matrix can
    be diagonalised, but the basis is of no use if eigenvalues (nearly) coincide without separate eigenvectors.

    Raises:
        UsageError: the condition number of the basis is above `limit`; try `to_jordan`.
    """
    u, w, v = _checked_arrays(u, w, v)
    eigen: Any = np.linalg.eig(u)
    values, vectors = eigen
    order = np.lexsort((-values.imag, values.real, values.imag != 0))  # real ones first
    values, vectors = values[order].astype(complex), vectors[:, order].astype(complex)
    condition = _condition(vectors)
    if not condition <= limit:
        raise UsageError(
            f"U has no well-conditioned basis of eigenvectors: condition number {condition:.2g}; accepted: up to "
            f"limit = {limit:g}. Its eigenvalues (nearly) coincide; try to_jordan."
        )
    return _in_basis(_real_basis(values, vectors) if real else vectors, u, w, v)


def _real_basis(values: Matrix, vectors: Matrix) -> Matrix:
    """A real basis of the same spaces: of each conjugate pair Re and -Im of one vector, where U rotates and scales."""
    columns = [vectors[:, i].real for i in np.flatnonzero(values.imag == 0)]
    for i in np.flatnonzero(values.imag > 0):
        columns += [vectors[:, i].real, -vectors[:, i].imag]
    return np.stack(columns, 1)


def to_jordan(u: Any, w: Any, v: Any, *, tolerance: float = 1e-4, limit: float = 1e8) -> Realisation:
    """Coordinates in which U is a Jordan form, complex: eigenvalues on the diagonal, 1 above it within each chain.

    The Jordan form is not a continuous function of U: without a tolerance, rounding would decide it. Eigenvalues within
    `tolerance` (times the norm of U) of each other count as one, their mean. Singular values of (U - mean I)^k below
    `tolerance`, in the same scale, count as 0.

    Raises:
        UsageError: the condition number of the basis is above `limit`, or the Jordan form differs from U by more than
            `tolerance`.
    """
    u, w, v = _checked_arrays(u, w, v)
    scale = float(np.linalg.norm(u, 2)) or 1.0
    if scale < (least := np.finfo(float).tiny):
        raise UsageError(f"U has norm {scale:.2g}; accepted: 0, or at least {least:.2g}")
    chains, blocks = [], []
    for mean, count in _clusters(np.linalg.eigvals(u), tolerance * scale):
        for chain in _chains((u - mean * np.eye(len(u))) / scale, count, tolerance):
            length = chain.shape[1]
            with np.errstate(over="ignore", invalid="ignore"):  # then `_condition` is infinite
                chains.append(chain * scale ** -np.arange(length, dtype=float))  # so that the superdiagonal is 1
            blocks.append(mean * np.eye(length) + np.eye(length, k=1))
    basis = np.concatenate(chains, 1)
    if basis.shape[1] != len(u):
        raise UsageError(
            f"the Jordan chains at tolerance {tolerance:g} have {basis.shape[1]} vectors, not one for each of the "
            f"{len(u)} units; try another tolerance"
        )
    if not (condition := _condition(basis)) <= limit:
        raise UsageError(
            f"U has no well-conditioned Jordan basis at tolerance {tolerance:g}: condition number {condition:.2g}; "
            f"accepted: up to limit = {limit:g}"
        )
    found = _in_basis(basis, u, w, v)
    jordan = _block_diagonal(blocks)
    gap = np.linalg.norm(basis @ jordan - u @ basis) / (scale * np.linalg.norm(basis))
    if gap > tolerance:
        raise UsageError(
            f"the Jordan form differs from U by {gap:.2g} of its norm; accepted: up to tolerance = {tolerance:g}"
        )
    return dataclasses.replace(found, u=jordan)


def _clusters(values: Matrix, radius: float) -> list[tuple[complex, int]]:
    """Mean and number of each group of eigenvalues; values within `radius` of each other are in the same group."""
    left, found = list(values.astype(complex)), []
    while left:
        group = [left.pop()]
        for member in group:  # the loop also visits members that it appends
            near = [x for x in left if abs(x - member) <= radius]
            group += near
            left = [x for x in left if abs(x - member) > radius]
        mean = sum(group) / len(group)
        found.append((complex(mean.real, 0.0 if abs(mean.imag) <= radius else mean.imag), len(group)))
    return sorted(found, key=lambda pair: (pair[0].real, abs(pair[0].imag), pair[0].imag))


def _chains(shifted: Matrix, count: int, tolerance: float) -> list[Matrix]:
    """The Jordan chains of N = `shifted` for eigenvalue 0, each as columns N^(k-1) x, ..., N x, x, longest first.

    Computed within the invariant subspace of dimension `count` on which N is nilpotent, up to rounding."""
    space = _invariant_subspace(shifted, count)
    n = space.conj().T @ shifted @ space
    kernels = [np.zeros((count, 0), complex)]
    while kernels[-1].shape[1] < count and len(kernels) <= count:
        kernels.append(_kernel(np.linalg.matrix_power(n, len(kernels)), tolerance))
    chains: list[Matrix] = []
    for k in range(len(kernels) - 1, 0, -1):
        # Vectors in the kernel of N^k that are neither in the kernel of N^(k-1) nor in a longer chain.
        taken = np.concatenate([kernels[k - 1], *[c[:, k - 1 : k] for c in chains]], 1)
        tops = _complement(kernels[k], taken, tolerance)
        for top in tops.T:
            powers = [top]
            for _ in range(k - 1):
                powers.append(n @ powers[-1])
            chains.append(np.stack(powers[::-1], 1))
    return [space @ chain for chain in chains]


def _invariant_subspace(shifted: Matrix, count: int) -> Matrix:
    """An orthonormal basis of the span of the `count` generalised eigenvectors with eigenvalues nearest to 0."""
    power = np.linalg.matrix_power(shifted.astype(complex), count)
    return np.linalg.svd(power)[2][len(power) - count :].conj().T


def _kernel(matrix: Matrix, tolerance: float) -> Matrix:
    _, values, right = np.linalg.svd(matrix)
    return right[values <= tolerance].conj().T


def _complement(space: Matrix, taken: Matrix, tolerance: float) -> Matrix:
    """An orthonormal basis of the part of `space` that is orthogonal to the span of `taken`."""
    if taken.shape[1]:
        left, values, _ = np.linalg.svd(taken, full_matrices=False)
        known = left[:, values > tolerance * values[0]]
        space = space - known @ (known.conj().T @ space)
    left, values, _ = np.linalg.svd(space, full_matrices=False)
    return left[:, values > 0.5 * np.sqrt(tolerance)]


def _in_basis(basis: Matrix, u: Matrix, w: Matrix, v: Matrix) -> Realisation:
    inverse = np.linalg.inv(basis)
    return Realisation(inverse @ u @ basis, inverse @ w, v @ basis, basis, _condition(basis))


def _condition(basis: Matrix) -> float:
    """The condition number; infinite where the basis itself is, as for chains of a U near the smallest numbers."""
    return float(np.linalg.cond(basis)) if np.isfinite(basis).all() else float("inf")


def _block_diagonal(blocks: list[Matrix]) -> Matrix:
    size, at = sum(len(b) for b in blocks), 0
    found = np.zeros((size, size), complex)
    for block in blocks:
        found[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return found


def _checked_arrays(u: Any, w: Any, v: Any) -> tuple[Matrix, Matrix, Matrix]:
    u, w, v = (real_finite(name, a) for name, a in zip("UWV", (u, w, v), strict=True))
    size = len(u) if u.ndim else 0
    if not size or u.shape != (size, size) or w.ndim != 2 or v.ndim != 2 or len(w) != size or v.shape[1] != size:
        raise UsageError(f"U, W, V have shapes {u.shape}, {w.shape}, {v.shape}; accepted: (H, H), (H, I), (O, H)")
    return u, w, v


__all__ = ["Realisation", "markov", "same_map", "to_diagonal", "to_jordan"]
