"""Linear recurrences h_t = U h_tm1 + W x_t, y_t = V h_t in other coordinates of h: how little of U matters.

The answer to the question's remark that a change of basis makes U diagonal or a Jordan form. With h' = P^-1 h, the
recurrence with U' = P^-1 U P, W' = P^-1 W, V' = V P has the same outputs for all inputs, because the output depends
on V U^k W alone, and V' U'^k W' = V U^k W (`markov`). A nonlinearity between the steps is what breaks this.
NumPy, float64.
"""

import dataclasses
from typing import Any

import numpy as np

from rnnzoo.spec import UsageError

Matrix = Any  # a NumPy array: the annotations of NumPy do not know which are complex


@dataclasses.dataclass(frozen=True)
class Realisation:
    """A recurrence with the same input-output map in other coordinates, h = basis h'."""

    u: Matrix  # (H, H)
    w: Matrix  # (H, I)
    v: Matrix  # (O, H)
    basis: Matrix  # (H, H)
    condition: float  # of the basis: how many times larger an error of rounding may become


def markov(u: Any, w: Any, v: Any, length: int) -> Matrix:
    """V U^k W for k = 0 .. length - 1, (length, O, I): all that outputs depend on."""
    u, power, v = np.asarray(u), np.asarray(w), np.asarray(v)
    found = []
    for _ in range(length):
        found.append(v @ power)
        power = u @ power
    return np.stack(found) if found else np.zeros((0, v.shape[0], power.shape[1]))


def same_map(one: Realisation, u: Any, w: Any, v: Any, tolerance: float = 1e-8) -> bool:
    """Whether the two recurrences have the same outputs for all inputs, of any length.

    By the theorem of Cayley and Hamilton the first 2 H values of V U^k W decide all the others."""
    length = 2 * len(one.u)
    ours, theirs = markov(one.u, one.w, one.v, length), markov(u, w, v, length)
    return bool(np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max(initial=1e-300))


def to_diagonal(u: Any, w: Any, v: Any, *, real: bool = False, limit: float = 1e8) -> Realisation:
    """Coordinates in which U is diagonal: complex, or with `real` in blocks [[re, -im], [im, re]] for each pair.

    A pair's unit i has its partner at i + 1; real eigenvalues stand alone, before the pairs. Nearly every matrix can
    be brought to this form, but the basis is useless where eigenvalues (nearly) coincide without separate
    eigenvectors.

    Raises:
        UsageError: the basis has a condition number above `limit`; `to_jordan` may do.
    """
    u, w, v = _checked(u, w, v)
    eigen: Any = np.linalg.eig(u)
    values, vectors = eigen
    order = np.lexsort((-values.imag, values.real, values.imag != 0))  # real ones first
    values, vectors = values[order].astype(complex), vectors[:, order].astype(complex)
    condition = float(np.linalg.cond(vectors))
    if not condition <= limit:
        raise UsageError(
            f"U has no well-conditioned basis of eigenvectors: condition number {condition:.2g}; accepted: up to "
            f"limit = {limit:g}. Its eigenvalues (nearly) coincide; to_jordan may do."
        )
    return _in_basis(_real(values, vectors) if real else vectors, u, w, v)


def _real(values: Matrix, vectors: Matrix) -> Matrix:
    """Real columns that span the same: Re and -Im of one vector of each conjugate pair, in which U is a rotation."""
    columns = [vectors[:, i].real for i in np.flatnonzero(values.imag == 0)]
    for i in np.flatnonzero(values.imag > 0):
        columns += [vectors[:, i].real, -vectors[:, i].imag]
    return np.stack(columns, 1)


def to_jordan(u: Any, w: Any, v: Any, *, tolerance: float = 1e-4, limit: float = 1e8) -> Realisation:
    """Coordinates in which U is a Jordan form: eigenvalues on the diagonal, and 1 above it inside a chain. Complex.

    The Jordan form is no continuous function of U, so that rounding decides unless it is told not to: eigenvalues
    within `tolerance` (times the norm of U) of each other count as one, their mean, and so do singular values of
    (U - mean I)^k below its `tolerance`.

    Raises:
        UsageError: the basis has a condition number above `limit`, or the result is not U to within the tolerance.
    """
    u, w, v = _checked(u, w, v)
    scale = float(np.linalg.norm(u, 2)) or 1.0
    chains, blocks = [], []
    for mean, count in _clusters(np.linalg.eigvals(u), tolerance * scale):
        for chain in _chains((u - mean * np.eye(len(u))) / scale, count, tolerance):
            length = chain.shape[1]
            chains.append(chain * scale ** -np.arange(length, dtype=float))  # so that the superdiagonal is 1
            blocks.append(mean * np.eye(length) + np.eye(length, k=1))
    basis = np.concatenate(chains, 1)
    if basis.shape[1] != len(u):
        raise UsageError(f"{basis.shape[1]} chained vectors for {len(u)} units at tolerance {tolerance:g}; try another")
    if not (condition := float(np.linalg.cond(basis))) <= limit:
        raise UsageError(
            f"U has no well-conditioned Jordan basis at tolerance {tolerance:g}: condition number {condition:.2g}; "
            f"accepted: up to limit = {limit:g}"
        )
    found = _in_basis(basis, u, w, v)
    jordan = _block_diagonal(blocks)
    gap = np.linalg.norm(basis @ jordan - u @ basis) / (scale * np.linalg.norm(basis))
    if gap > tolerance:
        raise UsageError(f"the Jordan form misses U by {gap:.2g} of its norm; accepted: up to tolerance {tolerance:g}")
    return dataclasses.replace(found, u=jordan)


def _clusters(values: Matrix, radius: float) -> list[tuple[complex, int]]:
    """Groups of eigenvalues that hang together by steps of at most `radius`: mean and number."""
    left, found = list(values.astype(complex)), []
    while left:
        group = [left.pop()]
        for member in group:  # grows while it is walked through
            near = [x for x in left if abs(x - member) <= radius]
            group += near
            left = [x for x in left if abs(x - member) > radius]
        mean = sum(group) / len(group)
        found.append((complex(mean.real, 0.0 if abs(mean.imag) <= radius else mean.imag), len(group)))
    return sorted(found, key=lambda pair: (pair[0].real, abs(pair[0].imag), pair[0].imag))


def _chains(shifted: Matrix, count: int, tolerance: float) -> list[Matrix]:
    """The Jordan chains of eigenvalue 0 of N = `shifted`, each as columns N^(k-1) x, ..., N x, x, longest first.

    Within the invariant subspace of dimension `count`, where N is nilpotent up to rounding."""
    space = _invariant(shifted, count)
    n = space.conj().T @ shifted @ space
    kernels = [np.zeros((count, 0), complex)]
    while kernels[-1].shape[1] < count and len(kernels) <= count:
        kernels.append(_kernel(np.linalg.matrix_power(n, len(kernels)), tolerance))
    chains: list[Matrix] = []
    for k in range(len(kernels) - 1, 0, -1):
        # What is new in the kernel of N^k, beyond the kernel of N^(k-1) and the longer chains' vectors at this height.
        taken = np.concatenate([kernels[k - 1], *[c[:, k - 1 : k] for c in chains]], 1)
        tops = _beyond(kernels[k], taken, tolerance)
        for top in tops.T:
            powers = [top]
            for _ in range(k - 1):
                powers.append(n @ powers[-1])
            chains.append(np.stack(powers[::-1], 1))
    return [space @ chain for chain in chains]


def _invariant(shifted: Matrix, count: int) -> Matrix:
    """An orthonormal basis of the `count` generalised eigenvectors whose eigenvalues are nearest to 0."""
    power = np.linalg.matrix_power(shifted.astype(complex), count)
    return np.linalg.svd(power)[2][len(power) - count :].conj().T


def _kernel(matrix: Matrix, tolerance: float) -> Matrix:
    _, values, right = np.linalg.svd(matrix)
    return right[values <= tolerance].conj().T


def _beyond(space: Matrix, taken: Matrix, tolerance: float) -> Matrix:
    """An orthonormal basis of what `space` has and the span of `taken` has not."""
    if taken.shape[1]:
        left, values, _ = np.linalg.svd(taken, full_matrices=False)
        known = left[:, values > tolerance * values[0]]
        space = space - known @ (known.conj().T @ space)
    left, values, _ = np.linalg.svd(space, full_matrices=False)
    return left[:, values > 0.5 * np.sqrt(tolerance)]


def _in_basis(basis: Matrix, u: Matrix, w: Matrix, v: Matrix) -> Realisation:
    inverse = np.linalg.inv(basis)
    return Realisation(inverse @ u @ basis, inverse @ w, v @ basis, basis, float(np.linalg.cond(basis)))


def _block_diagonal(blocks: list[Matrix]) -> Matrix:
    size, at = sum(len(b) for b in blocks), 0
    found = np.zeros((size, size), complex)
    for block in blocks:
        found[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return found


def _checked(u: Any, w: Any, v: Any) -> tuple[Matrix, Matrix, Matrix]:
    u, w, v = (np.asarray(a, np.float64) for a in (u, w, v))
    size = len(u)
    if u.shape != (size, size) or w.ndim != 2 or v.ndim != 2 or len(w) != size or v.shape[1] != size:
        raise UsageError(f"U, W, V have shapes {u.shape}, {w.shape}, {v.shape}; accepted: (H, H), (H, I), (O, H)")
    return u, w, v


__all__ = ["Realisation", "markov", "same_map", "to_diagonal", "to_jordan"]
