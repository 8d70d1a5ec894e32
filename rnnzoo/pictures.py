"""Pictures of recurrent matrices."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from rnnzoo.base import Structure
from rnnzoo.registry import UsageError

MADE_BY = {"Software": "rnnzoo"}


def check_output(path: Path) -> None:
    """Raise `UsageError` if a picture cannot go there: no folder, no known ending, or somebody else's file."""
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise UsageError(f"--out is {str(path)!r}; accepted: a name that ends in .png, .svg or .pdf")
    if not path.parent.is_dir():
        raise UsageError(f"--out is {str(path)!r}, but there is no folder {str(path.parent)!r}")
    if path.exists() and (path.is_dir() or b"rnnzoo" not in path.read_bytes()):
        raise UsageError(f"{path} exists and was not made by rnnzoo; give another --out")


def draw_structure(structure: Structure, size: int, path: Path, seed: int = 0) -> None:
    """Draw the matrix of one random member, and its eigenvalues in the unit circle."""
    from matplotlib.figure import Figure

    matrix = np.asarray(structure.matrix(structure.init(jax.random.key(seed), size), size))
    figure = Figure(figsize=(9, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_matrix(left, matrix)
    draw_eigenvalues(right, matrix)
    figure.suptitle(
        f"{structure}, H = {size}: {structure.num_params(size)} parameters, "
        f"{structure.nonzeros(size)} of {size * size} entries, {structure.connectivity}"
    )
    metadata: Any = {"Creator": "rnnzoo"} if path.suffix.lower() != ".png" else MADE_BY
    figure.savefig(path, dpi=120, metadata=metadata)


def draw_matrix(axes: Any, matrix: np.ndarray) -> None:
    """A matrix as an image: blue negative, red positive, exact zeros blank."""
    limit = float(np.abs(matrix).max(initial=0)) or 1.0
    shown = np.ma.masked_equal(matrix, 0)
    image = axes.imshow(shown, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    axes.figure.colorbar(image, ax=axes, shrink=0.8)
    axes.set_xlabel("from unit")
    axes.set_ylabel("to unit")


def draw_eigenvalues(axes: Any, matrix: np.ndarray) -> None:
    """Eigenvalues in the complex plane, with the unit circle."""
    values = np.linalg.eigvals(matrix)
    angle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angle), np.sin(angle), color="0.6", linewidth=1)
    axes.plot(values.real, values.imag, ".", color="C0")
    axes.set_aspect("equal")
    axes.set_title("eigenvalues", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)


__all__ = ["check_output", "draw_eigenvalues", "draw_matrix", "draw_structure"]
