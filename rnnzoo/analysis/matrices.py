"""Pictures of recurrent matrices."""

import math
from pathlib import Path
from typing import Any

import jax
import numpy as np

from rnnzoo.disk import read_bytes, write_whole
from rnnzoo.drawing import MUTED, RULE, SERIES, heading, new_figure, saved, style
from rnnzoo.spec import UsageError, members
from rnnzoo.structures.base import Structure

COLOURS = "Blue: negative, orange: positive, blank: not connected."
GROUPS = ("none", "self", "cascade", "cyclic")
THIN = 24  # units, from which on few diagonals are drawn by themselves


def check_output(path: Path) -> None:
    """Raise `UsageError` if no picture can be written there: unknown ending, no folder, or a file that is not ours."""
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise UsageError(f"--out is {str(path)!r}; accepted: a name that ends in .png, .svg or .pdf")
    if not path.parent.is_dir():
        raise UsageError(
            f"--out is {str(path)!r}, but there is no folder {str(path.parent)!r}; accepted: one that exists"
        )
    if path.exists() and (path.is_dir() or b"rnnzoo" not in read_bytes(path)):
        raise UsageError(f"{path} exists and was not made by rnnzoo; accepted: another --out")


def draw_structure(structure: Structure, size: int, path: Path, seed: int = 0) -> None:
    """Draw a random matrix of the structure, and its eigenvalues beside the unit circle."""
    matrix = random_member(structure, size, seed)
    with style():
        figure = new_figure(9, 4.9)
        left, right = figure.subplots(1, 2)
        draw_matrix(left, matrix)
        draw_eigenvalues(right, matrix)
        weights, nonzeros = _weights(structure.num_params(size)), structure.nonzeros(size)
        counts = f"{weights}, {nonzeros:,} of {size * size:,} entries may differ from 0, {structure.connectivity}"
        heading(figure, f"{structure}, H = {size}", f"{counts}. {COLOURS}")
    save(figure, path)


def draw_structures(size: int, path: Path, seed: int = 0, columns: int = 10) -> int:
    """Draw a random matrix of every structure, of `size` units or the nearest number that fits; how many structures."""
    known: list[tuple[str, Any]] = [(name, cls()) for name, cls in members("structures").items()]
    known.sort(key=lambda item: (GROUPS.index(item[1].connectivity), item[1].nonzeros(32)))
    rows = math.ceil(len(known) / columns)
    with style():
        figure = new_figure(1.5 * columns, 1.98 * rows + 0.8)
        panels = figure.subplots(rows, columns, squeeze=False).flat
        for axes, (name, structure) in zip(panels, known, strict=False):
            _panel(axes, name, structure, size, seed)
        for axes in panels[len(known) :]:
            axes.axis("off")
        heading(
            figure,
            f"{len(known)} structures of the recurrent matrix U before training",
            f"H = {size} unless the panel says otherwise. From unconnected units to cycles, the sparsest first. "
            + COLOURS,
        )
    save(figure, path)
    return len(known)


def _weights(count: int) -> str:
    return f"{count:,} weight{'s' * (count != 1)}"


def _panel(axes: Any, name: str, structure: Structure, size: int, seed: int) -> None:
    """One structure: its matrix, or a note that no size near this one fits."""
    fits = nearest_size(structure, size)
    axes.set_title(name, loc="left", fontsize=9 if len(name) < 17 else 7.5)
    axes.set_xticks([])
    axes.set_yticks([])
    if fits is None:
        note = f"no hidden_size from {max(1, size // 2)}\nto {2 * size} fits {structure}"
        axes.text(0.5, 0.5, note, ha="center", va="center", wrap=True, fontsize=8, transform=axes.transAxes)
        return
    paint(axes, random_member(structure, fits, seed))
    label = f"{_weights(structure.num_params(fits))}\n{structure.connectivity}"
    label += f", H = {fits}: {size} does not fit" if fits != size else ""
    axes.set_xlabel(label, fontsize=8, color=MUTED, loc="left")


def random_member(structure: Structure, size: int, seed: int) -> np.ndarray:
    """A random matrix of the structure, as before training."""
    drawn = jax.jit(
        lambda key: structure.matrix(structure.init(key, size), size),
        compiler_options={"xla_backend_optimization_level": 0},  # it runs once
    )
    return np.asarray(drawn(jax.random.key(seed)))


def nearest_size(structure: Structure, size: int) -> int | None:
    """The hidden size nearest to `size` that a structure fits, between half and twice it; None if there is none."""
    for candidate in sorted(range(max(1, size // 2), 2 * size + 1), key=lambda n: (abs(n - size), n)):
        try:
            structure.check(candidate)
        except UsageError:
            continue
        return candidate
    return None


def save(figure: Any, path: Path) -> None:
    """Write a figure, marked as ours so that `check_output` lets it be overwritten."""
    write_whole(path, saved(figure, path.suffix.lower().removeprefix(".")))


def paint(axes: Any, values: np.ndarray, aspect: str = "equal") -> None:
    """Draw numbers as an image: sign as colour, size as strength; those that are 0 are left blank, so that the image
    suits light and dark pages."""
    from matplotlib.colors import to_rgb

    strength = np.abs(values) / (np.abs(values).max(initial=0) or 1.0)
    colour = np.where(values[..., None] < 0, to_rgb(SERIES[0]), to_rgb(SERIES[1]))
    alpha = np.where(values == 0, 0, 0.15 + 0.85 * strength)
    axes.imshow(np.concatenate([colour, alpha[..., None]], -1), interpolation="none", aspect=aspect)
    for spine in axes.spines.values():
        spine.set(visible=True, color=MUTED, linewidth=0.5)


def draw_matrix(axes: Any, matrix: np.ndarray) -> None:
    """Draw a matrix, with units at both sides."""
    paint(axes, matrix)
    axes.set_title(f"largest |U| {np.abs(matrix).max(initial=0):.2g}")
    axes.set_xlabel("from unit")
    axes.set_ylabel("to unit")
    whole(axes.xaxis, axes.yaxis)


def draw_diagonals(axes: Any, matrix: np.ndarray) -> None:
    """Draw the diagonals of a matrix, one below the other: a thin band in a large matrix could not be seen."""
    offsets, index = diagonals_of(matrix), np.arange(len(matrix))
    columns = index[None] + np.asarray(offsets)[:, None]
    inside = (columns >= 0) & (columns < len(matrix))
    paint(axes, np.where(inside, matrix[index[None], columns.clip(0, len(matrix) - 1)], 0), aspect="auto")
    axes.set_title(f"largest |U| {np.abs(matrix).max(initial=0):.2g}")
    axes.set_yticks(range(len(offsets)), [f"{offset:+d}" if offset else "0" for offset in offsets])
    axes.set_ylabel("from unit i + ...")
    axes.set_xlabel("to unit i")
    whole(axes.xaxis)


def is_thin(matrix: np.ndarray) -> bool:
    """Whether a matrix is large and has few diagonals."""
    return len(matrix) >= THIN and 0 < len(diagonals_of(matrix)) <= len(matrix) / 8


def whole(*axis: Any) -> None:
    """Ticks at whole numbers."""
    from matplotlib.ticker import MaxNLocator

    for one in axis:
        one.set_major_locator(MaxNLocator(5, integer=True))


def diagonals_of(matrix: np.ndarray) -> list[int]:
    """The diagonals that are not all 0, by j - i."""
    rows, columns = np.nonzero(matrix)
    return np.unique(columns - rows).tolist()


def draw_eigenvalues(axes: Any, matrix: np.ndarray, before: np.ndarray | None = None) -> None:
    """Draw the eigenvalues in the complex plane, with the unit circle; in grey those of the matrix before training."""
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angle), np.sin(angle), color=MUTED, linewidth=0.8)
    axes.axhline(0, color=RULE, linewidth=0.6, zorder=0)
    axes.axvline(0, color=RULE, linewidth=0.6, zorder=0)
    if before is not None:
        first = np.linalg.eigvals(before)
        axes.plot(first.real, first.imag, "o", color=MUTED, alpha=0.45, markersize=3.5, markeredgewidth=0)
    values = np.linalg.eigvals(matrix)
    axes.plot(values.real, values.imag, "o", color=SERIES[0], markersize=3.5, markeredgewidth=0)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_title(f"eigenvalues; largest modulus {np.abs(values).max():.2f}")
    axes.set_xlabel("real part")
    axes.set_ylabel("imaginary part")


__all__ = [
    "COLOURS",
    "check_output",
    "draw_diagonals",
    "draw_eigenvalues",
    "draw_matrix",
    "draw_structure",
    "draw_structures",
    "is_thin",
    "nearest_size",
    "paint",
    "random_member",
    "save",
    "whole",
]
