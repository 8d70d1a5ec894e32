"""Published numbers beside ours, from a CSV file that names the source of each."""

import csv
import dataclasses
import re
from pathlib import Path

from rnnzoo.disk import read_text
from rnnzoo.spec import UsageError
from rnnzoo.study.report.rows import Tables
from rnnzoo.study.report.words import number

COLUMNS = ("source", "link", "task", "model", "metric", "value", "read_in", "ours")


@dataclasses.dataclass(frozen=True)
class Published:
    """One number that others measured. `ours` is a regular expression of the names of our rows, or ""."""

    source: str
    link: str
    task: str
    model: str
    metric: str
    value: str
    read_in: str
    """Where the figure was read, if not in the source itself."""
    ours: str

    def beside(self, tables: Tables) -> str:
        """Our median and range, row by row; or that there is none."""
        if not self.ours:
            return "no task of ours"
        rows = [row for row in tables if re.fullmatch(self.ours, row.name)]
        said = [
            f"{row.name}: {number(row.median)} [{number(row.low)}, {number(row.high)}] ({row.metric.replace('_', ' ')})"
            for row in rows
        ]
        return "; ".join(said) or "not run"


def read_published(path: Path) -> list[Published]:
    """The numbers of a file; none if there is no file.

    Raises:
        UsageError: it is no such file.
    """
    if not path.is_file():
        return []
    lines = list(csv.DictReader(read_text(path).splitlines()))
    for line, values in enumerate(lines, 2):
        if set(values) != set(COLUMNS) or None in values.values():
            raise UsageError(f"{path}, line {line}: other columns; accepted: {', '.join(COLUMNS)}")
        if values["link"] and not values["link"].startswith("https://"):
            raise UsageError(f"{path}, line {line}: link is {values['link']!r}; accepted: https://...")
    return [Published(**{name: values[name] for name in COLUMNS}) for values in lines]


__all__ = ["COLUMNS", "Published", "read_published"]
