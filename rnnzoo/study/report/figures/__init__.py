"""The figures of the report. Each is drawn from the rows that it needs, and left out where there are none."""

from rnnzoo.study.report.figures import gradient, heat, memory, pareto, question, real, unit_map
from rnnzoo.study.report.figures.drawing import Drawn, Figure

FIGURES: tuple[Figure, ...] = tuple(m.FIGURE for m in (question, heat, real, memory, gradient, pareto, unit_map))

__all__ = ["FIGURES", "Drawn", "Figure"]
