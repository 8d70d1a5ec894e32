"""A picture of the recurrent matrices of a trained run, next to those before training."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from rnnzoo.analysis.matrices import COLOURS, draw_diagonals, draw_eigenvalues, draw_matrix, is_thin, save, whole
from rnnzoo.drawing import MUTED, SERIES, heading, new_figure, style
from rnnzoo.models import Model
from rnnzoo.spec import UsageError
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import first_state
from rnnzoo.training.warm_start import stored_state

MAX_MATRICES = 8  # in one picture


def draw_run(folder: Path, path: Path, warn: Any, seed: int = 0, which: str = "last") -> tuple[int, int]:
    """Write the picture of `run_figure` to a file. Returns how many matrices are drawn, and how many there are."""
    figure, drawn, there = run_figure(folder, warn, seed, which)
    save(figure, path)
    return drawn, there


def run_figure(folder: Path, warn: Any, seed: int = 0, which: str = "last") -> tuple[Any, int, int]:
    """Each U of a run's checkpoint with its eigenvalues and singular values, up to `MAX_MATRICES`.

    `seed` counts from 0 among the seeds of the run. Returns the figure, how many matrices it has, and how many there
    are."""
    run = RunFolder(folder)
    config = run.config()
    if seed >= config.seeds:
        raise UsageError(f"--seed is {seed}; accepted: 0 to {config.seeds - 1}, one of the run's seeds")
    model = config.network(config.task.open())
    structures = [(str(s), cell.hidden_size) for cell, _ in model.cells for s in cell.structures.values()]
    if not structures:
        raise UsageError(f"the cell of {folder}, {type(config.cell).__name__}, has no recurrent matrix U to draw")
    step, state = stored_state(run, config, model, which, warn)
    trained = matrices_of(model, state["params"], seed)
    initial = {}
    if not config.init_from:  # else the run began from the parameters of another run
        initial = matrices_of(model, first_state(config, model)["params"], seed)
    shown = dict(list(trained.items())[:MAX_MATRICES])
    with style():
        figure = new_figure(11, 2.9 * len(shown) + 0.7)
        figure.get_layout_engine().set(hspace=0.07)
        rows = figure.subplots(len(shown), 3, squeeze=False)
        for row, (name, matrix) in zip(rows, shown.items(), strict=True):
            _row(row, name, matrix, initial.get(name))
        kinds, sizes = (", ".join(dict.fromkeys(map(str, of))) for of in zip(*structures, strict=True))
        of_all = f"; {len(shown)} of {len(trained)} matrices" if len(shown) < len(trained) else ""
        which_seed = f", seed {config.seed + seed}" if config.seeds > 1 else ""
        title = f"{type(config.cell).__name__}, {kinds}, H = {sizes}, after {step:,} steps{which_seed}{of_all}"
        grey = " Grey: before training." if initial else ""
        heading(figure, title, f"{COLOURS}{grey}")
    return figure, len(shown), len(trained)


def matrices_of(model: Model, params: Any, seed: int) -> dict[str, np.ndarray]:
    """Place in the network -> dense U, from the parameters of all seeds for one seed."""
    dense = jax.jit(lambda structure, u, size: structure.matrix(u, size), static_argnums=(0, 2))
    found = {}
    for number, layer in enumerate(model.layers):
        for direction, cell in zip(("cell", "backward"), layer.cells, strict=False):
            for gate, u in params[f"layer_{number}"][direction].get("u", {}).items():
                place = f"layer {number}" + (", backward" if direction == "backward" else "")
                u_seed = jax.tree.map(lambda a: a[seed], u)
                whole = dense(cell.structures[gate], u_seed, cell.hidden_size)
                called = cell.recurrence.gate_names.get(gate)
                found[f"{place}, gate {gate}" + (f" ({called})" if called else "")] = np.asarray(whole, np.float64)
    return found


def _row(row: Any, name: str, matrix: np.ndarray, initial: np.ndarray | None) -> None:
    """Draw a matrix, its eigenvalues and its singular values, in grey those before training."""
    image, plane, values = row
    (draw_diagonals if is_thin(matrix) else draw_matrix)(image, matrix)
    image.set_xlabel(f"{image.get_xlabel()}; {image.get_title(loc='left')}")
    image.set_title(name)
    draw_eigenvalues(plane, matrix, initial)
    index = np.arange(1, len(matrix) + 1)
    if initial is not None:
        values.plot(index, np.linalg.svd(initial, compute_uv=False), color=MUTED, alpha=0.6, linewidth=1.5)
    singular = np.linalg.svd(matrix, compute_uv=False)
    values.plot(index, singular, color=SERIES[0], linewidth=1.8, marker="o" if len(matrix) < 2 else None)
    values.set_title(f"singular values; {singular.max():.2f} to {singular.min():.2g}")
    values.set_xlabel("sorted, largest first")
    values.set_ylim(bottom=0)
    whole(values.xaxis)
    for axes in (plane, values):
        axes.set_title(axes.get_title(loc="left"), fontweight="normal")


__all__ = ["draw_run", "matrices_of", "run_figure"]
