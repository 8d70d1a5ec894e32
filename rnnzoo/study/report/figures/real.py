"""Real data: score against recurrent weights, at equal numbers of units and of parameters."""

from typing import Any

from rnnzoo.drawing import MUTED, colours, markers, new_figure, plain_log
from rnnzoo.study.report.figures.drawing import Drawn, Figure, median_and_range
from rnnzoo.study.report.rows import Row, Tables, by_size

BUDGETS = ("equal H", "equal params")
WIDE = 30  # between the ends of an axis, from which on it names powers of ten alone


def real_rows(tables: Tables) -> list[Row]:
    """The rows on real data."""
    return tables.find(suite="real")


def draw(tables: Tables) -> Drawn | None:
    """A line for each task, a column for each budget. The dense row stands in both columns."""
    rows = real_rows(tables)
    if not rows:
        return None
    tasks = list(dict.fromkeys(row.place.task for row in rows))
    figure = new_figure(9, 2.3 * len(tasks) + 0.6)
    panels = figure.subplots(len(tasks), 2, sharey="row", squeeze=False)
    names, cells = by_size(rows), list(dict.fromkeys(row.place.cell for row in rows))
    for line, task in zip(panels, tasks, strict=True):
        for axes, budget in zip(line, BUDGETS, strict=True):
            own = [
                r for r in rows if r.place.task == task and (r.place.budget == budget or r.place.structure == "dense")
            ]
            points(axes, own, [float(r.params_u) for r in own], names, cells)
            axes.set_title(f"{task}, {budget.replace('params', 'parameters')}")
        line[0].set_ylabel(f"{_metric(rows, task)}")
    for axes in panels[-1]:
        axes.set_xlabel("free numbers in U")
    legend(figure, names, cells)
    alt = "Median scores with ranges against the number of recurrent weights. " + _best(rows, tasks)
    return Drawn(figure, alt, median_and_range(rows))


def points(axes: Any, rows: list[Row], x: list[float], names: list[str], cells: list[str]) -> None:
    """A marker at each median, and the range as a line."""
    colour, marker = colours(names), markers(cells)
    for row, at in zip(rows, x, strict=True):
        own = colour[row.place.structure]
        axes.plot([at, at], [row.low, row.high], color=own, linewidth=1.3, alpha=0.7)
        axes.plot([at], [row.median], marker[row.place.cell], color=own, markersize=6, markeredgewidth=0)
    axes.set_xscale("log")
    low, high = axes.xaxis.get_data_interval()
    plain_log(axes.xaxis, (1, 2, 5) if high < WIDE * low else (1,))
    axes.grid(axis="y", color=MUTED, alpha=0.25, linewidth=0.5)


def legend(figure: Any, names: list[str], cells: list[str]) -> None:
    """Colours are structures, markers are cells."""
    from matplotlib.lines import Line2D

    colour, marker = colours(names), markers(cells)
    handles = [Line2D([], [], color=colour[n], marker="s", linestyle="", markersize=6, label=n) for n in names]
    handles += [Line2D([], [], color=MUTED, marker=marker[c], linestyle="", markersize=6, label=c) for c in cells]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(7, len(handles)), fontsize=9.5)


def _metric(rows: list[Row], task: str) -> str:
    row = next(row for row in rows if row.place.task == task)
    return f"{row.metric.replace('_', ' ')}\n({row.better} is better)"


def _best(rows: list[Row], tasks: list[str]) -> str:
    said = []
    for task in tasks:
        own = [row for row in rows if row.place.task == task]
        best = (min if own[0].lower_is_better else max)(own, key=lambda row: row.median)
        said.append(f"{task}: best median {best.median:.4g} by {best.place.cell} {best.place.structure}")
    return "; ".join(said) + "."


FIGURE = Figure(
    "real",
    "Real data: score against recurrent weights",
    "Medians and ranges over seeds, on the test part, of the checkpoint that was best on validation data. Left: as "
    "many units for every structure. Right: as many units as give the parameters of the dense cell.",
    "configs/studies/real.py",
    draw,
)

__all__ = ["FIGURE", "draw", "legend", "points", "real_rows"]
