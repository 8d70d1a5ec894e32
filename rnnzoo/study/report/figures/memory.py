"""Looking back: the longest sequence that each cell and structure solves."""

import math
from typing import Any

from rnnzoo.study.report.figures.drawing import MUTED, RULE, SERIES, Drawn, Figure, new_figure
from rnnzoo.study.report.rows import Row, Tables

SHARE = 0.6  # of the seeds have to solve a length


def longest(rows: list[Row]) -> tuple[int, int]:
    """The longest T that 3 of 5 seeds solve (0 if none is), and the longest that was tried."""
    lengths = {row.place.length: row for row in rows if row.place.length}
    solved = [t for t, row in lengths.items() if (row.solved() or 0) >= math.ceil(SHARE * row.n - 1e-9)]
    return max(solved, default=0), max(lengths, default=0)


def lines_of(tables: Tables) -> dict[tuple[str, str, str, str], list[Row]]:
    """(task, cell, structure, budget) -> its rows, one for each T."""
    found: dict[tuple[str, str, str, str], list[Row]] = {}
    for row in tables.find(suite="memory"):
        if row.place.length:
            found.setdefault((row.place.kind, row.place.cell, row.place.structure, row.place.budget), []).append(row)
    return found


def draw(tables: Tables) -> Drawn | None:
    """A bar for each cell and structure, the longest first; an open end where the longest T tried is solved."""
    lines = lines_of(tables)
    if not lines:
        return None
    tasks = list(dict.fromkeys(task for task, *_ in lines))
    most = max(sum(key[0] == task for key in lines) for task in tasks)
    figure = new_figure(9, 0.27 * most + 1.1)
    panels = figure.subplots(1, len(tasks), squeeze=False)[0]
    data = []
    for axes, task in zip(panels, tasks, strict=True):
        own = {key[1:]: longest(rows) for key, rows in lines.items() if key[0] == task}
        own = dict(sorted(own.items(), key=lambda item: -item[1][0]))
        _bars(axes, {" ".join(filter(None, key)): found for key, found in own.items()})
        axes.set_title(task)
        data += [
            {"task": task, "cell": c, "structure": s, "budget": b, "longest_solved": t, "longest_tried": tried}
            for (c, s, b), (t, tried) in own.items()
        ]
    alt = "Longest T solved. " + "; ".join(
        f"{d['task']}, {d['cell']} {d['structure']}: {d['longest_solved'] or 'none'}" for d in data
    )
    return Drawn(figure, alt + ".", data)


def _bars(axes: Any, found: dict[str, tuple[int, int]]) -> None:
    tried = sorted({t for _, t in found.values()} | {t for t, _ in found.values() if t})
    least = min(tried) / 1.6
    for y, (solved, most) in enumerate(found.values()):
        if not solved:
            axes.text(least * 1.05, y, "none", va="center", fontsize=9, color=MUTED)
            continue
        axes.plot([least, solved], [y, y], color=SERIES[0], linewidth=3, solid_capstyle="butt")
        axes.plot([solved], [y], ">" if solved == most else "o", color=SERIES[0], markersize=7, markeredgewidth=0)
    axes.set_xscale("log")
    axes.set_xlim(least, max(tried) * 1.25)
    axes.set_xticks(tried, [str(t) for t in tried])
    axes.minorticks_off()
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_yticks(range(len(found)), list(found))
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("longest T solved")


FIGURE = Figure(
    "memory",
    "Looking back at equal parameters",
    "The longest sequence that at least 3 of 5 seeds solve. An arrow: the longest that was tried is solved, so that "
    "the limit lies beyond.",
    "configs/studies/memory.py",
    draw,
)

__all__ = ["FIGURE", "draw", "lines_of", "longest"]
