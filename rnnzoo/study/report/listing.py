"""The tables of the page: header and cells, each with what it is sorted by."""

import dataclasses
from typing import Any

from rnnzoo.study.report.compare import Comparison
from rnnzoo.study.report.rows import Row, Tables
from rnnzoo.study.report.words import number


@dataclasses.dataclass(frozen=True)
class Cell:
    """What a cell says, and the number that it is sorted by; None for text."""

    text: str
    value: float | None = None


@dataclasses.dataclass(frozen=True)
class Listing:
    """A table of the page."""

    name: str
    caption: str
    header: list[str]
    lines: list[list[Cell]]


def ranged(row: Row) -> Cell:
    """Median and range."""
    return Cell(f"{number(row.median)} [{number(row.low)}, {number(row.high)}]", row.median)


def solved(row: Row, times: int | None = None) -> Cell:
    """How many seeds are solved."""
    many = row.solved(times)
    return Cell("-", -1.0) if many is None else Cell(f"{many} of {row.n}", many / row.n)


def listings(tables: Tables) -> list[Listing]:
    """A table for each file, with all its rows."""
    found = []
    for file in tables.files:
        rows = [row for row in tables if row.file == file]
        if not rows:
            continue
        surroundings = sorted({f"{row.device}; {row.versions}" for row in rows})
        one = surroundings[0] if len(surroundings) == 1 else ""
        found.append(_listing(rows, str(file), one))
    return found


def _listing(rows: list[Row], file: str, surroundings: str) -> Listing:
    lengths = sorted({n for row in rows for n in row.lengths if n > 1})
    header = ["row", "metric", "test: median [min, max]", "solved"]
    header += [f"{what} at {n}x" for n in lengths for what in ("median", "solved")]
    header += ["seeds", "params", "params in U", "nonzeros in U", "H", "seconds"]
    header += [] if surroundings else ["device and versions"]
    lines = []
    for row in rows:
        line = [Cell(row.name), Cell(row.metric.replace("_", " ")), ranged(row), solved(row)]
        for n in lengths:
            middle = row.median_at(n)
            line += [Cell(number(middle), middle), solved(row, n)]
        counts = (row.n, row.params, row.params_u, row.nonzeros_u, row.hidden_size)
        line += [Cell(f"{int(value):,}", float(value)) for value in counts]
        line.append(Cell(number(row.seconds), row.seconds))
        line += [] if surroundings else [Cell(f"{row.device}; {row.versions}")]
        lines.append(line)
    caption = f"{file}: {len(rows)} rows" + (f". {surroundings}." if surroundings else ".")
    return Listing(file, caption, header, lines)


def compared_listing(compared: list[Comparison]) -> Listing:
    """Every structure beside the dense one."""
    header = ["row", "median", "dense", "verdict", "solved", "dense solved", "p (Fisher, Holm)"]
    lines = []
    for c in compared:
        p = Cell("-", 2.0) if c.p is None else Cell(number(c.p) if c.informative else "not informative", c.p)
        lines.append([Cell(c.row.name), ranged(c.row), ranged(c.base), Cell(c.words), solved(c.row), solved(c.base), p])
    caption = (
        "Each structure beside the dense matrix of the same task and cell: the 95 % interval of the difference of "
        "medians over common seeds (10,000 resamples of pairs), and the counts of solved seeds."
    )
    return Listing("dense", caption, header, lines)


def row_values(row: Row) -> dict[str, Any]:
    """A row for rows.csv."""
    at = {f"median@{n}x": row.median_at(n) for n in row.lengths}
    return {
        "row": row.name, "file": row.file.name, "metric": row.metric, "median": row.median, "min": row.low,
        "max": row.high, "solved": row.solved(), "seeds": row.n, "diverged": row.diverged, "params": row.params,
        "params_u": row.params_u, "nonzeros_u": row.nonzeros_u, "hidden_size": row.hidden_size, "seconds": row.seconds,
        "device": row.device, "versions": row.versions, **at,
    }  # fmt: skip


__all__ = ["Cell", "Listing", "compared_listing", "listings", "row_values"]
