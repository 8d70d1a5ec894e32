"""What accuracy costs: error against time for a layer, and against the bytes of U."""

import csv
import math
from pathlib import Path
from typing import Any

from rnnzoo.disk import read_text
from rnnzoo.drawing import new_figure
from rnnzoo.study.report.figures.drawing import Drawn, Figure
from rnnzoo.study.report.figures.real import legend, points, real_rows
from rnnzoo.study.report.rows import Row, Tables, by_size

TIMES = Path("docs/measured/structures.csv")


def times_of(path: Path = TIMES) -> dict[tuple[str, int], float]:
    """(structure, hidden size) -> milliseconds of an Elman layer, forward and backward; {} without the file."""
    if not path.is_file():
        return {}
    lines = csv.DictReader(read_text(path).splitlines())
    return {(line["candidate"], int(line["size"])): float(line["wall_ms"]) for line in lines}


def time_of(row: Row, times: dict[tuple[str, int], float]) -> float | None:
    """The time at the measured size nearest to the row's, by ratio."""
    sizes = [size for structure, size in times if structure == row.structure]
    if not sizes:
        return None
    hidden = int(row.hidden_size)
    return times[row.structure, min(sizes, key=lambda size: abs(math.log(size / hidden)))]


def draw(tables: Tables) -> Drawn | None:
    """A line for each task: left by time, right by bytes."""
    times = times_of()
    rows = [row for row in real_rows(tables) if time_of(row, times) is not None]
    if not rows:
        return None
    tasks = list(dict.fromkeys(row.place.task for row in rows))
    names, cells = by_size(real_rows(tables)), list(dict.fromkeys(row.place.cell for row in rows))
    figure = new_figure(9, 2.3 * len(tasks) + 0.6)
    panels = figure.subplots(len(tasks), 2, sharey="row", squeeze=False)
    for (left, right), task in zip(panels, tasks, strict=True):
        own = [row for row in rows if row.place.task == task]
        points(left, own, [time_of(row, times) or math.nan for row in own], names, cells)
        points(right, own, [4.0 * float(row.params_u) for row in own], names, cells)
        left.set_ylabel(f"{own[0].metric.replace('_', ' ')}\n({own[0].better} is better)")
        left.set_title(task)
    _label(panels[-1])
    legend(figure, names, cells)
    data: list[dict[str, Any]] = [
        {"row": row.name, "median": row.median, "milliseconds": time_of(row, times), "bytes_u": 4 * int(row.params_u)}
        for row in rows
    ]
    return Drawn(figure, "Scores on real data against time and storage of the recurrent matrix.", data)


def _label(panels: Any) -> None:
    panels[0].set_xlabel("ms for an Elman layer of that U, forward and backward")
    panels[1].set_xlabel("bytes of U in float32")


FIGURE = Figure(
    "pareto",
    "What a score costs",
    "The rows of the figure of real data once more. Times are those of docs/measured/structures.csv: an Elman layer "
    "with that structure, at the measured size nearest to the row's, alone on two CPU cores. Structures that were not "
    "timed are left out.",
    "configs/studies/real.py",
    draw,
)

__all__ = ["FIGURE", "draw", "time_of", "times_of"]
