"""The question: which matrices were compared, and how many of all sums each gets wrong."""

import json
from typing import Any

import numpy as np

from rnnzoo.drawing import INK, MUTED, RULE, SERIES, new_figure
from rnnzoo.study.report.figures.drawing import Drawn, Figure
from rnnzoo.study.report.figures.matrix import draw_matrix, structure_of
from rnnzoo.study.report.rows import QUESTION, Row, Tables, by_size

SIZE, MATRICES, PANELS = 16, 8, 4  # hidden units of the pictures; how many pictures; panels side by side
TICKS = (0, 0.01, 0.1, 0.5, 1)


def draw(tables: Tables) -> Drawn | None:
    """Dots are seeds, lines are medians; grey lines are the best that a memory of k steps can do."""
    rows = [row for row in tables if row.metric == "wrong_sums"]
    panels: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row.place.suite not in QUESTION):
        panels.setdefault(_panel_name(row), []).append(row)
    if not rows:
        return None
    names = by_size(rows)
    lines = -(-len(panels) // PANELS)
    height = 0.24 * len(names) + 0.9
    figure = new_figure(10, 1.9 + lines * height)
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.9, lines * height])
    _matrices(top, rows, names)
    columns = min(len(panels), PANELS)
    axes = bottom.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for i, (panel, (name, own)) in enumerate(zip(axes.flat, panels.items(), strict=False)):
        _dots(panel, own, names, ruler_labels=i < columns)
        panel.set_title(name, pad=16 if i < columns else 6)
    for panel in axes.flat[len(panels) :]:
        panel.set_visible(False)
    for panel in axes.flat[max(len(panels) - columns, 0) : len(panels)]:
        panel.tick_params(labelbottom=True)
    bottom.supxlabel("share of all sums that are wrong", fontsize=10.5)
    data = [
        {"row": row.name, "seed": seed, "wrong_sums": value, "params_u": row.params_u}
        for row in rows
        for seed, value in zip(row.seeds, row.scores, strict=True)
    ]
    best = {name: min(own, key=lambda r: r.median).place.structure for name, own in panels.items()}
    alt = "Wrong sums per structure. Fewest by median: " + "; ".join(f"{n}: {s}" for n, s in best.items()) + "."
    return Drawn(figure, alt, data)


def _panel_name(row: Row) -> str:
    place = row.place
    if place.suite in QUESTION:
        biases = "with biases" if place.suite != QUESTION[0] else "no biases"
        return f"{biases}, {place.task.removeprefix('addition').strip() or 'SGD'} steps"
    return f"{place.suite.capitalize()}, {place.cell}"


def _matrices(figure: Any, rows: list[Row], names: list[str]) -> None:
    """Up to eight structures, from the least to the most weights."""
    found = {}
    for name in names:
        row = next(row for row in rows if row.place.structure == name)
        if (structure := structure_of(row.structure)) is not None:
            found[name] = structure
    chosen = [
        list(found)[i] for i in np.unique(np.linspace(0, len(found) - 1, min(MATRICES, len(found))).round().astype(int))
    ]
    panels = figure.subplots(1, MATRICES, squeeze=False)[0]
    for axes, name in zip(panels, chosen, strict=False):
        draw_matrix(axes, found[name], SIZE)
        axes.set_title(name, fontweight="normal", loc="center")
        weights = found[name].num_params(SIZE)
        axes.set_xlabel(f"{weights} weight{'s' * (weights != 1)}", fontsize=9, color=MUTED)
    for axes in panels[len(chosen) :]:
        axes.set_visible(False)


def _dots(axes: Any, rows: list[Row], names: list[str], ruler_labels: bool) -> None:
    for k, value in enumerate(_ruler(rows[0])):
        axes.axvline(value, color=RULE, linewidth=0.8, zorder=0)
        if ruler_labels and value > 0.002:
            axes.text(
                value, 1.005, str(k), transform=axes.get_xaxis_transform(), ha="center", va="bottom", fontsize=8,
                color=MUTED,
            )  # fmt: skip
    for row in rows:
        y = names.index(row.place.structure)
        jitter = np.linspace(-0.27, 0.27, row.n) if row.n > 1 else np.zeros(1)
        axes.plot(row.scores, y + jitter, "o", color=SERIES[0], markersize=3, alpha=0.55, markeredgewidth=0)
        axes.plot([row.median] * 2, [y - 0.38, y + 0.38], color=INK, linewidth=1.8, solid_capstyle="butt")
    axes.set_xscale("function", functions=(np.cbrt, lambda x: x**3))  # has room for 0, and for small shares
    axes.set_xlim(-0.0005, 1.02)
    axes.set_xticks(TICKS, [f"{t:g}".removeprefix("0") if t else "0" for t in TICKS])
    axes.minorticks_off()
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(length=0, axis="y")


def _ruler(row: Row) -> list[float]:
    """The best that can be done from the last k pairs of bits, k = 0, 1, ..."""
    known = json.loads(row.baselines or "{}")
    return [float(v) for k, v in known.items() if k == "memoryless" or k.startswith("sees_")]


FIGURE = Figure(
    "question",
    "The question: can a thin matrix add?",
    "Above: recurrent matrices of 16 units before training; blank entries are always 0, colour is the sign. Below: "
    "each dot is a seed, each bar a median. The grey lines are exact: the least share of wrong sums that is possible "
    "for a predictor that sees only the last k pairs of bits besides the present one (k above the lines).",
    "configs/studies/addition.py",
    draw,
)

__all__ = ["FIGURE", "draw"]
