"""What a figure of the report is."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from rnnzoo.study.report.rows import Row, Tables


@dataclasses.dataclass
class Drawn:
    """A figure with its numbers."""

    figure: Any  # of matplotlib
    alt: str
    """What is to be seen, for those who cannot see it."""
    data: list[dict[str, Any]]
    """The numbers of the figure, a dictionary for each line of its CSV file."""


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure that the report may have."""

    name: str  # of its files
    title: str
    caption: str
    study: str  # the file of the study whose rows it shows; "" for a figure that needs none
    draw: Callable[[Tables], Drawn | None]
    """None if the tables lack its rows."""


def median_and_range(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """What a figure of medians and ranges shows."""
    return [
        {
            "row": row.name, "metric": row.metric, "median": row.median, "min": row.low, "max": row.high,
            "solved": row.solved(), "seeds": row.n, "params_u": row.params_u,
        }
        for row in rows
    ]  # fmt: skip


__all__ = ["Drawn", "Figure", "median_and_range"]
