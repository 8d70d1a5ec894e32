"""A picture of the recurrent matrices of a trained run, next to those before training."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from rnnzoo.analysis.matrices import draw_eigenvalues, draw_matrix, new_figure, save
from rnnzoo.spec import UsageError
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import init_state
from rnnzoo.training.warm_start import stored_state

MAX_MATRICES = 8  # in one picture


def draw_run(folder: Path, path: Path, warn: Any, seed: int = 0, which: str = "last") -> tuple[int, int]:
    """Draw each U of a run's checkpoint with its eigenvalues and singular values, up to `MAX_MATRICES`.

    `seed` counts from 0 among the seeds of the run. Returns how many matrices are drawn, and how many there are."""
    run = RunFolder(folder)
    config = run.config()
    structures, size = config.cell.structures, config.cell.hidden_size
    if not structures:
        raise UsageError(f"the cell of {folder}, {type(config.cell).__name__}, has no recurrent matrix U to draw")
    if seed >= config.seeds:
        raise UsageError(f"--seed is {seed}; accepted: 0 to {config.seeds - 1}, one of the run's seeds")
    model = config.network(config.task.open())
    step, state = stored_state(run, config, model, which, warn)
    trained = matrices_of(state["params"], structures, size, seed)
    initial = {}
    if not config.init_from:  # else the run began from the parameters of another run
        initial = matrices_of(init_state(config, model)["params"], structures, size, seed)
    shown = dict(list(trained.items())[:MAX_MATRICES])
    figure = new_figure(9.6, 2.9 * len(shown) + 0.7)
    rows = figure.subplots(len(shown), 3, squeeze=False, gridspec_kw={"width_ratios": [1.15, 1, 1.1]})
    for row, (name, matrix) in zip(rows, shown.items(), strict=True):
        _row(row, name, matrix, initial.get(name))
    kinds = ", ".join(dict.fromkeys(map(str, structures.values())))
    of_all = f"; {len(shown)} of {len(trained)} matrices" if len(shown) < len(trained) else ""
    which_seed = f", seed {config.seed + seed}" if config.seeds > 1 else ""
    figure.suptitle(f"{type(config.cell).__name__}, {kinds}, H = {size}, after {step} steps{which_seed}{of_all}")
    save(figure, path)
    return len(shown), len(trained)


def matrices_of(params: Any, structures: Any, size: int, seed: int) -> dict[str, np.ndarray]:
    """Place in the network -> dense U, from the parameters of all seeds for one seed."""
    dense = jax.jit(lambda structure, u: structure.matrix(u, size), static_argnums=0)
    found = {}
    for layer in sorted((n for n in params if n.startswith("layer_")), key=lambda n: int(n.split("_")[1])):
        for direction in ("cell", "backward"):
            for gate, u in params[layer].get(direction, {}).get("u", {}).items():
                place = f"layer {layer.split('_')[1]}" + (", backward" if direction == "backward" else "")
                u_seed = jax.tree.map(lambda a: a[seed], u)
                found[f"{place}, gate {gate}"] = np.asarray(dense(structures[gate], u_seed), np.float64)
    return found


def _row(row: Any, name: str, matrix: np.ndarray, initial: np.ndarray | None) -> None:
    """Draw a matrix, its eigenvalues and its singular values, in grey those before training."""
    image, plane, values = row
    draw_matrix(image, matrix)
    image.set_title(name, fontsize="medium", fontweight="bold")
    if initial is not None:
        first = np.linalg.eigvals(initial)
        plane.plot(first.real, first.imag, ".", color="0.75", label="before training")
    draw_eigenvalues(plane, matrix)
    radius = np.abs(np.linalg.eigvals(matrix)).max()
    plane.set_title(f"eigenvalues: largest modulus {radius:.2f}", fontsize="medium")
    index = np.arange(1, len(matrix) + 1)
    if initial is not None:
        values.plot(
            index, np.linalg.svd(initial, compute_uv=False), ".-", color="0.75", linewidth=1, label="before training"
        )
    singular = np.linalg.svd(matrix, compute_uv=False)
    values.plot(index, singular, ".-", color="C0", linewidth=1, label="trained")
    values.set_title(f"singular values: {singular.max():.2f} to {singular.min():.2g}", fontsize="medium")
    values.set_xlabel("sorted, largest first")
    values.set_ylim(bottom=0)
    values.spines[["top", "right"]].set_visible(False)
    if initial is not None:
        values.legend(frameon=False, fontsize="small")


__all__ = ["draw_run", "matrices_of"]
