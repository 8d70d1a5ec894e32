"""A picture of a trained network's recurrent matrices: what training made of the structure."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from rnnzoo.analysis.matrices import draw_eigenvalues, draw_matrix, new_figure, save
from rnnzoo.cells.base import structure_of
from rnnzoo.spec import UsageError
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import init_state
from rnnzoo.training.warm_start import stored_state

MOST = 8  # matrices in one picture


def draw_run(folder: Path, path: Path, warn: Any, seed: int = 0, which: str = "last") -> tuple[int, int]:
    """Draw each U of a run's checkpoint, its eigenvalues and singular values: how many are drawn, of how many.

    `seed` counts from 0 among the seeds of the run."""
    run = RunFolder(folder)
    config = run.config()
    structure, size = structure_of(config.cell), config.cell.hidden_size
    if structure is None:
        raise UsageError(f"the cell of {folder}, {type(config.cell).__name__}, has no recurrent matrix U to draw")
    if seed >= config.seeds:
        raise UsageError(f"--seed is {seed}; accepted: 0 to {config.seeds - 1}, one of the run's seeds")
    model = config.network(config.task.open())
    step, state = stored_state(run, config, model, which, warn)
    before = init_state(config, model)["params"]  # for comparison, where the run began from these
    found = matrices_of(state["params"], structure, size, seed)
    began = {} if config.init_from else matrices_of(before, structure, size, seed)
    shown = dict(list(found.items())[:MOST])
    figure = new_figure(9.6, 2.9 * len(shown) + 0.7)
    rows = figure.subplots(len(shown), 3, squeeze=False, gridspec_kw={"width_ratios": [1.15, 1, 1.1]})
    for row, (name, matrix) in zip(rows, shown.items(), strict=True):
        _row(row, name, matrix, began.get(name))
    some = f"; {len(shown)} of {len(found)} matrices" if len(shown) < len(found) else ""
    of = f", seed {config.seed + seed}" if config.seeds > 1 else ""
    figure.suptitle(f"{type(config.cell).__name__}, {structure}, H = {size}, after {step} steps{of}{some}")
    save(figure, path)
    return len(shown), len(found)


def matrices_of(params: Any, structure: Any, size: int, seed: int) -> dict[str, np.ndarray]:
    """Place in the network -> dense U, of one of the seeds of a network's parameters."""
    dense = jax.jit(structure.matrix, static_argnums=1)
    found = {}
    for layer in sorted((n for n in params if n.startswith("layer_")), key=lambda n: int(n.split("_")[1])):
        for direction in ("cell", "backward"):
            for gate, u in params[layer].get(direction, {}).get("u", {}).items():
                place = f"layer {layer.split('_')[1]}" + (", backward" if direction == "backward" else "")
                u_seed = jax.tree.map(lambda a: a[seed], u)
                found[f"{place}, gate {gate}"] = np.asarray(dense(u_seed, size), np.float64)
    return found


def _row(row: Any, name: str, matrix: np.ndarray, began: np.ndarray | None) -> None:
    """A matrix, its eigenvalues, its singular values; those it began with in grey."""
    image, plane, values = row
    draw_matrix(image, matrix)
    image.set_title(name, fontsize="medium", fontweight="bold")
    if began is not None:
        first = np.linalg.eigvals(began)
        plane.plot(first.real, first.imag, ".", color="0.75", label="at first")
    draw_eigenvalues(plane, matrix)
    radius = np.abs(np.linalg.eigvals(matrix)).max()
    plane.set_title(f"eigenvalues: largest modulus {radius:.2f}", fontsize="medium")
    index = np.arange(1, len(matrix) + 1)
    if began is not None:
        values.plot(index, np.linalg.svd(began, compute_uv=False), ".-", color="0.75", linewidth=1, label="at first")
    singular = np.linalg.svd(matrix, compute_uv=False)
    values.plot(index, singular, ".-", color="C0", linewidth=1, label="trained")
    values.set_title(f"singular values: {singular.max():.2f} to {singular.min():.2g}", fontsize="medium")
    values.set_xlabel("in order of size")
    values.set_ylim(bottom=0)
    values.spines[["top", "right"]].set_visible(False)
    if began is not None:
        values.legend(frameon=False, fontsize="small")


__all__ = ["draw_run", "matrices_of"]
