"""Task x structure, a panel for each cell: how many seeds solve it, or how much of it is right."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from rnnzoo.drawing import RULE, new_figure
from rnnzoo.study.report.figures.drawing import Drawn, Figure, median_and_range
from rnnzoo.study.report.rows import AT_BEST, QUESTION, Row, Tables, by_size

BY_SCORE = ("languages", "languages long")  # suites whose published score is an accuracy, not a count
NOT_HERE = (*QUESTION, *AT_BEST, "memory")  # suites with figures of their own
LEFT = 2.2  # inches beside a panel


def draw(tables: Tables) -> Drawn | None:
    """Each square has its number; a small name in the corner is the prediction about it."""
    rows = [r for r in tables if r.place.suite not in NOT_HERE and r.place.cell and _value(r) is not None]
    if not rows:
        return None
    cells = list(dict.fromkeys(row.place.cell for row in rows))
    names = by_size(rows)
    own = {cell: [row for row in rows if row.place.cell == cell] for cell in cells}
    tasks = {cell: list(dict.fromkeys((r.place.suite, r.place.task) for r in own[cell])) for cell in cells}
    lines = [len(tasks[cell]) for cell in cells]
    figure = new_figure(max(5.2, LEFT + 0.66 * len(names)), 0.42 * sum(lines) + 1.05 * len(cells))
    panels = figure.subplots(len(cells), 1, squeeze=False, height_ratios=lines)[:, 0]
    for axes, cell in zip(panels, cells, strict=True):
        _panel(axes, own[cell], names, tasks[cell], tables.predicted)
        axes.set_title(cell)
    alt = f"{len(rows)} squares: {len(names)} structures in {', '.join(cells)}. The tables below have all."
    return Drawn(figure, alt, median_and_range(rows))


def _value(row: Row) -> float | None:
    """The share that a square's colour shows."""
    if row.place.suite in BY_SCORE:
        return row.median
    solved = row.solved()
    return None if solved is None else solved / row.n


def _panel(
    axes: Any,
    rows: Iterable[Row],
    names: list[str],
    tasks: list[tuple[str, str]],
    predicted: Callable[[str], str],
) -> None:
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    colormap = colormaps["cividis"]
    for row in rows:
        x, y = names.index(row.place.structure), tasks.index((row.place.suite, row.place.task))
        value = _value(row) or 0.0
        colour = colormap(0.08 + 0.9 * np.clip(value, 0, 1))
        axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=colour, linewidth=0))
        text = f"{value:.2f}" if row.place.suite in BY_SCORE else f"{row.solved()}/{row.n}"
        ink = "#000000" if value > 0.5 else "#ffffff"
        axes.text(x, y + 0.08, text, ha="center", va="center", fontsize=8.5, color=ink)
        if named := predicted(row.name):
            axes.text(x - 0.45, y - 0.43, named, ha="left", va="top", fontsize=5.5, color=ink)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(tasks) - 0.5, -0.5)
    axes.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
    both = [task for _, task in tasks]  # a task may stand in two suites, judged by different things
    labels = [f"{task} ({suite})" if both.count(task) > 1 else task for suite, task in tasks]
    axes.set_yticks(range(len(tasks)), labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.hlines(np.arange(len(tasks) - 1) + 0.5, -0.5, len(names) - 0.5, color=RULE, linewidth=0.4, zorder=0)


FIGURE = Figure(
    "heat",
    "Which structure solves what",
    "One panel for each cell. A number such as 9/10 counts the seeds that pass the task's threshold at the training "
    "length; a decimal is a median accuracy over all test lengths. Structures stand in the order of their weights.",
    "configs/studies/languages.py",
    draw,
)

__all__ = ["FIGURE", "draw"]
