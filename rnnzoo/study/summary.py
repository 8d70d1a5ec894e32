"""A study's table in short: median and range of each row, for a terminal."""

import statistics
from collections.abc import Iterable

from rnnzoo.study.table import Line


def by_row(lines: Iterable[Line], purpose: str = "result") -> dict[str, list[Line]]:
    """The lines of each row, in the order of the table."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        if line["purpose"] == purpose:
            found.setdefault(line["row"], []).append(line)
    return found


def values(lines: Iterable[Line], column: str) -> list[float]:
    """A column as numbers, NaN where it is empty."""
    return [float(line.get(column) or "nan") for line in lines]


def summary(lines: list[Line]) -> str:
    """One line a row: the metric on the test part, median [least, greatest], how many seeds are solved, and time."""
    rows = []
    for name, own in by_row(lines).items():
        first, scores = own[0], values(own, "test")
        solved = [line["solved"] == "True" for line in own]
        said = f"{sum(solved)} of {len(own)}" if first["solved_at"] else "-"
        score = f"{statistics.median(scores):.4f} [{min(scores):.4f}, {max(scores):.4f}]"
        seconds = sum(values(own, "seconds"))
        rows.append((name, first["metric"], score, said, first["params"], first["nonzeros_u"], f"{seconds:.1f}"))
    header = ("row", "metric", "test: median [range]", "solved", "params", "nonzeros_u", "seconds")
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    return "\n".join(
        "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in (header, *rows)
    )


__all__ = ["by_row", "summary", "values"]
