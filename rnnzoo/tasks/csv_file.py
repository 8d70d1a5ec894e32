"""CSV files with a header: the columns that a task needs, read once and checked cell by cell."""

import array
import csv
import dataclasses
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnzoo.spec import UsageError, brief, suggest
from rnnzoo.tasks.own_file import OwnFile
from rnnzoo.typing import Float, Int

ABSENT = frozenset(("", "na", "n/a", "nan", "null", "none"))  # what is written for a value that is not there


@dataclasses.dataclass(frozen=True, eq=False)
class Columns:
    """Columns of a file, row by row."""

    numbers: Float[np.ndarray, "N K"]
    """The columns of numbers, in float64; NaN where a value is absent."""
    texts: list[list[str]]
    """The columns of text, each with N cells."""
    lines: Int[np.ndarray, " N"]
    """The line of the file on which each row ends; the first is 1."""


class CSVFile:
    """A CSV file in UTF-8. Its first line names the columns.

    Raises:
        UsageError: there is no such file, it is no text, or its header is missing or has a name twice.
    """

    def __init__(self, task: str, path: str, delimiter: str = ","):
        self.file = OwnFile(task, path, "a CSV file in UTF-8 whose first line names the columns")
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise UsageError(f"{task}.delimiter is {brief(delimiter)}; accepted: one character, such as ',' or ';'")
        if not path:
            raise self.refuse("there is no path")
        self.delimiter = delimiter
        self.text = self.file.text()
        header = next(self._rows(), None)
        if header is None:
            raise self.refuse("it has no rows")
        self.names = tuple(name.strip() for name in header[1])
        twice = [name for name in self.names if self.names.count(name) > 1]
        if twice:
            raise self.refuse(f"line {header[0]} has the column {brief(twice[0])} twice")
        if all(_is_number(name) for name in self.names):
            raise self.refuse(f"line {header[0]} has numbers only, where the names of the columns should be")

    def refuse(self, reason: str) -> UsageError:
        """The error that says why this file cannot be used."""
        return self.file.refuse(reason)

    def check_names(self, field: str, names: Sequence[str]) -> None:
        """Raise `UsageError` for a column that the file lacks, or that the field names twice."""
        for name in names:
            if name not in self.names:
                task = self.file.task
                raise UsageError(
                    f"{task}.{field} has {brief(name)}, which is no column of {self.file.path!r}; "
                    f"{suggest(name, self.names)}"
                )
            if names.count(name) > 1:
                raise UsageError(f"{self.file.task}.{field} has {brief(name)} twice; accepted: each column once")

    def read(self, numbers: Sequence[str], texts: Sequence[str] = (), absent: bool = False) -> Columns:
        """Columns of numbers and of text. The cells of other columns are not looked at.

        Args:
            numbers: names of columns, each cell of which is a finite number.
            texts: names of columns, each cell of which is not empty.
            absent: accept empty cells, NA and the like among the numbers, as NaN.

        Raises:
            UsageError: a cell is something else, or a row has more or fewer cells than the header.
        """
        at = [(self.names.index(name), name) for name in numbers]
        at_text = [(self.names.index(name), name) for name in texts]
        found, lines = array.array("d"), array.array("q")
        cells: list[list[str]] = [[] for _ in texts]
        known: dict[str, str] = {}  # one object for equal cells
        rows = self._rows()
        next(rows)
        for line, row in rows:
            if len(row) != len(self.names):
                raise self.refuse(f"line {line} has {len(row)} cells, and the header has {len(self.names)}")
            found.extend(self._number(row[i], line, name, absent) for i, name in at)
            lines.append(line)
            for column, (i, name) in zip(cells, at_text, strict=True):
                if not (cell := row[i].strip()):
                    raise self.refuse(f"line {line}: column {brief(name)} is empty")
                column.append(known.setdefault(cell, cell))
        shape = (len(lines), len(at))
        return Columns(np.array(found, np.float64).reshape(shape), cells, np.array(lines, np.int64))

    def _number(self, cell: str, line: int, name: str, absent: bool) -> float:
        try:
            value = float(cell)
        except ValueError:
            if cell.strip().lower() not in ABSENT:
                raise self.refuse(f"line {line}: column {brief(name)} is {brief(cell)}, which is no number") from None
            value = math.nan
        if math.isinf(value) or (math.isnan(value) and not absent):
            hint = "" if math.isinf(value) else " (or set missing to 'hold')"
            raise self.refuse(f"line {line}: column {brief(name)} is {brief(cell)}, which is no finite number{hint}")
        return value

    def _rows(self) -> Any:
        """The line on which a row ends, and its cells; lines with nothing on them are left out."""
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter, strict=True)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self.refuse(f"line {reader.line_num}: {error}") from None
            if row:
                yield reader.line_num, row


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def held(values: Float[np.ndarray, "N K"], first: Float[np.ndarray, " K"]) -> Float[np.ndarray, "N K"]:
    """The last value before each absent one (NaN) in its place; `first` where there is none before."""
    places = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(places, axis=0)
    return np.where(last < 0, first, np.take_along_axis(values, np.maximum(last, 0), axis=0))


__all__ = ["CSVFile", "Columns", "held"]
