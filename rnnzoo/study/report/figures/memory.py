"""Looking back: the longest sequence that each cell and structure solves."""

import csv
import math
from pathlib import Path
from typing import Any

from rnnzoo.disk import read_text
from rnnzoo.drawing import MUTED, RULE, SERIES, new_figure
from rnnzoo.study.report.figures.drawing import Drawn, Figure
from rnnzoo.study.report.rows import Row, Tables, place_of

SHARE = 0.6  # of the seeds have to solve a length
TIMES = Path("docs/measured/memory.csv")  # of one training step of each row at one length
BASE = "dense"


def longest(rows: list[Row], share: float = math.inf) -> tuple[int, int]:
    """The longest T that 3 of 5 seeds solve (0 if none is), and the longest that was tried. `share` is the part of
    the steps within which they have to."""
    lengths = {row.place.length: row for row in rows if row.place.length}
    solved = [t for t, row in lengths.items() if _solved_within(row, share) >= math.ceil(SHARE * row.n - 1e-9)]
    return max(solved, default=0), max(lengths, default=0)


def _solved_within(row: Row, share: float) -> int:
    if share == math.inf:
        return row.solved() or 0
    return sum(bool(line["solved_step"]) and int(line["solved_step"]) <= share * int(row.steps) for line in row.lines)


def slower(cell: str, structure: str, task: str) -> float | None:
    """The time of a training step over that of the dense network of as many parameters; None if it was not measured."""
    if not TIMES.is_file():
        return None
    times = {}
    for line in csv.DictReader(read_text(TIMES).splitlines()):
        place = place_of(line["candidate"])
        times[place.kind, place.cell, place.structure] = float(line["wall_ms"])
    own, base = times.get((task, cell, structure)), times.get((task, cell, BASE))
    return None if own is None or base is None else own / base


def at_equal_seconds(rows: list[Row]) -> tuple[int, int] | None:
    """`longest` within the seconds that the dense network's steps take. None if it is not known: no times were
    measured, or a step takes less time, so that there would be more of them than were made."""
    place = rows[0].place
    factor = slower(place.cell, place.structure, place.kind)
    return None if factor is None or factor < 1 else longest(rows, 1 / factor)


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
    tasks = {task: _found(lines, task) for task in dict.fromkeys(task for task, *_ in lines)}
    figure = new_figure(9, 0.27 * max(map(len, tasks.values())) + 1.1)
    panels = figure.subplots(1, len(tasks), squeeze=False)[0]
    data = []
    for axes, (task, own) in zip(panels, tasks.items(), strict=True):
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


def _found(lines: dict[tuple[str, str, str, str], list[Row]], task: str) -> dict[tuple[str, ...], tuple[int, int]]:
    """(cell, structure, budget) -> the longest T solved and tried, the longest first."""
    found: dict[tuple[str, ...], tuple[int, int]] = {}
    for (of, cell, structure, budget), rows in lines.items():
        if of == task:
            found[cell, structure, budget] = longest(rows)
            if structure != BASE and (within := at_equal_seconds(rows)) is not None:
                found[cell, structure, "equal seconds"] = within
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


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
    "Looking back at equal parameters, and at equal seconds",
    "The longest sequence that at least 3 of 5 seeds solve, with as many parameters and as many steps; and, for a thin "
    "U, within the seconds that the dense network's steps take (docs/measured/memory.csv, a step alone on two CPU "
    "cores). An arrow: the longest that was tried is solved, so that the limit lies beyond.",
    "configs/studies/memory.py",
    draw,
)

__all__ = ["FIGURE", "at_equal_seconds", "draw", "lines_of", "longest"]
