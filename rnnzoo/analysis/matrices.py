"""Pictures of recurrent matrices."""

import math
from pathlib import Path
from typing import Any

import jax
import numpy as np

from rnnzoo.disk import read_bytes
from rnnzoo.spec import UsageError, members
from rnnzoo.structures.base import Structure

MADE_BY = {"Software": "rnnzoo"}


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
    figure = new_figure(9, 4.4)
    left, right = figure.subplots(1, 2)
    draw_matrix(left, matrix)
    draw_eigenvalues(right, matrix)
    figure.suptitle(
        f"{structure}, H = {size}: {structure.num_params(size)} parameters, "
        f"{structure.nonzeros(size)} of {size * size} entries, {structure.connectivity}"
    )
    save(figure, path)


def draw_structures(size: int, path: Path, seed: int = 0, columns: int = 6) -> int:
    """Draw a random matrix of every structure, of `size` units or the nearest number that fits; how many structures."""
    classes: dict[str, Any] = members("structures")
    rows = math.ceil(len(classes) / columns)
    figure = new_figure(2.3 * columns, 2.6 * rows + 0.6)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axes, (name, cls) in zip(panels, classes.items(), strict=False):
        _panel(axes, name, cls(), size, seed)
    for axes in panels[len(classes) :]:
        axes.axis("off")
    figure.suptitle(
        f"{len(classes)} structures of the recurrent matrix U before training, H = {size} unless the panel says "
        "otherwise\nblue: negative, red: positive, grey: not connected"
    )
    save(figure, path)
    return len(classes)


def _panel(axes: Any, name: str, structure: Structure, size: int, seed: int) -> None:
    """One structure: its matrix, or a note that no size near this one fits."""
    fits = nearest_size(structure, size)
    axes.set_title(name, fontsize="medium", fontweight="bold")
    axes.set_xticks([])
    axes.set_yticks([])
    if fits is None:
        note = f"no hidden_size from {max(1, size // 2)}\nto {2 * size} fits {structure}"
        axes.text(0.5, 0.5, note, ha="center", va="center", wrap=True, fontsize="small", transform=axes.transAxes)
        return
    draw_matrix(axes, random_member(structure, fits, seed), bare=True)
    count = structure.num_params(fits)
    label = f"{count:,} weight{'s' * (count != 1)}, {structure.connectivity}"
    axes.set_xlabel(label + (f"\nH = {fits}: {size} does not fit" if fits != size else ""), fontsize="small")


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


def new_figure(width: float, height: float) -> Any:
    """A figure that can be drawn without a display."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(figure: Any, path: Path) -> None:
    """Write a figure, marked as ours so that `check_output` lets it be overwritten."""
    metadata: Any = {"Creator": "rnnzoo"} if path.suffix.lower() != ".png" else MADE_BY
    figure.savefig(path, dpi=120, metadata=metadata)


def draw_matrix(axes: Any, matrix: np.ndarray, bare: bool = False) -> None:
    """Draw a matrix as an image: negative blue, positive red, exact zeros grey; if `bare`, without scale and labels."""
    limit = float(np.abs(matrix).max(initial=0)) or 1.0
    shown = np.ma.masked_equal(matrix, 0)
    axes.set_facecolor("0.87")
    image = axes.imshow(shown, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    if not bare:
        axes.figure.colorbar(image, ax=axes, shrink=0.8)
        axes.set_xlabel("from unit")
        axes.set_ylabel("to unit")


def draw_eigenvalues(axes: Any, matrix: np.ndarray) -> None:
    """Draw the eigenvalues in the complex plane, with the unit circle."""
    values = np.linalg.eigvals(matrix)
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angle), np.sin(angle), color="0.6", linewidth=1)
    axes.plot(values.real, values.imag, ".", color="C0")
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_title("eigenvalues", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)


__all__ = [
    "check_output",
    "draw_eigenvalues",
    "draw_matrix",
    "draw_structure",
    "draw_structures",
    "nearest_size",
    "new_figure",
    "random_member",
    "save",
]
