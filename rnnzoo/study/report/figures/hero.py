"""The picture of the README: eight recurrent matrices, and under each how many runs learned to add with it."""

from typing import Any

from rnnzoo.drawing import INK, MUTED, PAPER, SERIES, new_figure
from rnnzoo.study.report.figures.drawing import Drawn
from rnnzoo.study.report.figures.matrix import draw_matrix, structure_of
from rnnzoo.study.report.rows import Row, Tables, by_size

SIZE, MATRICES = 16, 8
SUITE, TIMES = "adam", 4  # of the rows; how many times the training length they are also judged on


def draw(tables: Tables) -> Drawn | None:
    """A column for each structure, the one with the fewest weights first; a line for each cell."""
    rows = [row for row in tables.find(suite=SUITE) if row.solved() is not None and structure_of(row.structure)]
    names = _spread(by_size(rows))
    cells = list(dict.fromkeys(row.place.cell for row in rows))
    found = {(row.place.structure, row.place.cell): row for row in rows}
    if len(names) < MATRICES or any((name, cell) not in found for name in names for cell in cells):
        return None
    figure = new_figure(10, 1.75 + 0.5 * len(cells))
    panels = figure.subplots(2, MATRICES, height_ratios=[1.25, 0.5 * len(cells)], squeeze=False)
    for i, name in enumerate(names):
        own = [found[name, cell] for cell in cells]
        _matrix(panels[0, i], name, own[0])
        _counts(panels[1, i], own, labels=[_name(row) for row in own] if i == 0 else [])
    seeds = max(row.n for row in rows)
    figure.supxlabel(
        f"runs of {seeds} that learned to add: 1x, numbers as long as in training; {TIMES}x, {TIMES} times as long",
        fontsize=10.5,
    )
    said = "; ".join(f"{name} {', '.join(f'{c} {found[name, c].solved()}' for c in cells)}" for name in names)
    data = [
        {"row": row.name, "solved": row.solved(), "solved_longer": row.solved(TIMES), "seeds": row.n}
        for row in (found[name, cell] for name in names for cell in cells)
    ]
    return Drawn(figure, f"Runs of {seeds} that learned to add. {said}.", data)


def _name(row: Row) -> str:
    """The cell as its class is written, where the row is named after it."""
    return row.cell if row.cell.lower() == row.place.cell else row.place.cell


def _spread(names: list[str]) -> list[str]:
    """Eight of the names, from the first to the last."""
    if len(names) <= MATRICES:
        return names
    return [names[round(i * (len(names) - 1) / (MATRICES - 1))] for i in range(MATRICES)]


def _matrix(axes: Any, name: str, row: Row) -> None:
    structure = structure_of(row.structure)
    assert structure is not None
    draw_matrix(axes, structure, SIZE)
    axes.set_title(name, fontweight="normal", loc="center")
    weights = structure.num_params(SIZE)
    axes.set_xlabel(f"{weights} weight{'s' * (weights != 1)}", fontsize=9, color=MUTED)


def _counts(axes: Any, rows: list[Row], labels: list[str]) -> None:
    """A line of two counts for each cell, the more runs the darker."""
    for y, row in enumerate(rows):
        for x, count in enumerate((row.solved(), row.solved(TIMES))):
            share = (count or 0) / row.n
            axes.add_patch(_tile(x, y, share))
            text = "-" if count is None else str(count)
            axes.text(x, y, text, ha="center", va="center", color=PAPER if share > 0.6 else INK, fontsize=10)
    for x, length in enumerate(("1x", f"{TIMES}x")):
        axes.text(x, -0.62, length, ha="center", va="center", color=MUTED, fontsize=8.5)
    axes.set_xlim(-0.52, 1.52)
    axes.set_ylim(len(rows) - 0.48, -0.76)
    axes.set_xticks([])
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _tile(x: int, y: int, share: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.46, y - 0.44), 0.92, 0.88, facecolor=SERIES[0], alpha=0.08 + 0.92 * share, linewidth=0)


__all__ = ["draw"]
