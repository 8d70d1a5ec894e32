"""Looking back: how far the gradient of the last output reaches, before training."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rnnzoo.analysis.gradient_reach import gradient_by_lag
from rnnzoo.drawing import RULE, colours, new_figure
from rnnzoo.study.plan import load_study
from rnnzoo.study.report.figures.drawing import Drawn, Figure
from rnnzoo.study.report.rows import Row, Tables, by_size
from rnnzoo.study.table import checksum
from rnnzoo.training.config import Config

STUDY = "configs/studies/memory.py"
SEQUENCES, SEEDS, PANELS = 16, 5, 3
LEAST = 1e-6  # of the gradient at lag 0; below, a line leaves the figure


def chosen(tables: Tables) -> list[Row]:
    """The rows of the first task at the longest T that all of its cells and structures have."""
    rows = [row for row in tables.find(suite="memory") if row.place.length]
    rows = [row for row in rows if row.place.kind == rows[0].place.kind]
    names = {(row.place.cell, row.place.structure) for row in rows}
    of_length: dict[int, list[Row]] = {}
    for row in rows:
        of_length.setdefault(row.place.length or 0, []).append(row)
    common = [t for t, own in of_length.items() if {(row.place.cell, row.place.structure) for row in own} == names]
    return of_length[max(common)] if common else []


def configs_of(rows: list[Row]) -> list[Config]:
    """What the rows were trained with, by the file of the study. None of them if it is not there, or differs."""
    if not rows or not Path(STUDY).is_file():
        return []
    study = load_study(STUDY).rows
    known = [study[row.name] for row in rows if row.name in study]
    same = len(known) == len(rows) and all(checksum(c) == row.config for c, row in zip(known, rows, strict=True))
    return known if same else []


def reach(config: Config) -> np.ndarray:
    """(T,) median over seeds of the gradient norm by lag, as a share of that at lag 0."""
    data = config.task.open()
    batch = next(iter(data.held_out("validation")))
    xs = jnp.asarray(batch["x"])[:, :SEQUENCES]
    if config.task.tokens:
        xs = jax.nn.one_hot(xs, data.input_size)
    norms = []
    for seed in range(SEEDS):
        init, direction = jax.random.split(jax.random.key(config.seed + seed))
        norms.append(gradient_by_lag(config.cell, config.cell.init(init, data.input_size), xs, direction))
    return np.median([norm / norm[0] for norm in norms], 0)


def draw(tables: Tables) -> Drawn | None:
    """A panel for each cell, a line for each structure."""
    rows = chosen(tables)
    configs = configs_of(rows)
    if not configs:
        return None
    cells, names = list(dict.fromkeys(row.place.cell for row in rows)), by_size(rows)
    lines = -(-len(cells) // PANELS)
    figure = new_figure(9, 2.3 * lines + 0.8)
    panels = list(figure.subplots(lines, PANELS, sharex=True, sharey=True, squeeze=False).flat)
    colour, data = colours(names), []
    for row, config in zip(rows, configs, strict=True):
        norms = reach(config)
        axes = panels[cells.index(row.place.cell)]
        axes.plot(np.arange(len(norms)), norms, color=colour[row.place.structure], linewidth=1.8)
        data += [{"row": row.name, "lag": lag, "gradient": float(value)} for lag, value in enumerate(norms)]
    for axes, cell in zip(panels, cells, strict=False):
        axes.set_title(cell)
        axes.set_yscale("log")
        axes.set_ylim(max(LEAST, 0.5 * min(line["gradient"] for line in data)), 2)
        axes.grid(axis="y", color=RULE, linewidth=0.6)
    for axes in panels[len(cells) :]:
        axes.set_visible(False)
    for axes in panels[max(0, len(cells) - PANELS) : len(cells)]:  # the lowest of each column
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("lag in steps")
    _label(figure, colour)
    left = {row.name: line["gradient"] for row in rows for line in data if line["row"] == row.name}
    alt = "Gradient at the longest lag as a share of that at lag 0. " + "; ".join(
        f"{n}: {v:.1g}" for n, v in left.items()
    )
    return Drawn(figure, alt + ".", data)


def _label(figure: Any, colour: dict[str, str]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=c, linewidth=1.8, label=name) for name, c in colour.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9.5)
    figure.supylabel("gradient, as a share of lag 0", fontsize=10.5)


FIGURE = Figure(
    "gradient",
    "How far a gradient reaches before training",
    "The gradient of the last output by the input of each step before it, at the start of the networks of the figure "
    "above, for the longest T that all of them were given. Medians over 5 seeds. Computed, not trained.",
    STUDY,
    draw,
)

__all__ = ["FIGURE", "chosen", "draw", "reach"]
