"""A table in the run folder, which spreadsheets and pandas read."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from rnnzoo.disk import append, write_whole
from rnnzoo.loggers.base import Log, LoggedRun, Logger, Row
from rnnzoo.spec import spec

NAME = "log.csv"


@spec
class CSV(Logger):
    """``log.csv`` in the run folder: a line for each step of the log and each seed. Needs no package."""

    def open(self, run: LoggedRun) -> Log:
        """The table, written anew: its lines follow from the run's own."""
        return _Table(run)

    def where(self, folder: Path) -> str:
        """The file."""
        return str(folder / NAME)


class _Table(Log):
    def __init__(self, run: LoggedRun):
        self.seeds, self.path = run.seeds, run.folder / NAME
        self.rows: list[Row] = []
        self.header: list[str] = []

    def write(self, rows: Sequence[Row]) -> None:
        self.rows += rows
        header = list(dict.fromkeys(name for row in self.rows for numbers in row.numbers for name in numbers))
        if header == self.header:
            append(self.path, self._lines(rows))
        else:  # as when the first validation scores come
            self.header = header
            write_whole(self.path, self._text([["step", "seed", *header]]) + self._lines(self.rows))

    def _lines(self, rows: Sequence[Row]) -> str:
        return self._text(
            [row.step, seed, *(numbers.get(name, "") for name in self.header)]
            for row in rows
            for seed, numbers in zip(self.seeds, row.numbers, strict=True)
        )

    def _text(self, lines) -> str:
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(lines)
        return out.getvalue()

    def close(self, complete: bool) -> None:
        pass


__all__ = ["CSV"]
