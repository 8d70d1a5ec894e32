"""Forecasting of columns of a CSV file."""

from typing import Literal

import numpy as np

from rnnzoo.spec import spec
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.csv_file import CSVFile, held
from rnnzoo.tasks.scale import Scale
from rnnzoo.tasks.series.forecast import Forecast, Table


@spec
class CSVForecast(Forecast):
    """Predict columns of a CSV file `horizon` rows ahead: x (T, B, I), y (T, B, K).

    The rows are in the order of time. See `Forecast` for parts, windows, scores and baselines."""

    path: str = ""
    """A CSV file in UTF-8 whose first line names the columns."""
    columns: tuple[str, ...] = ()
    """The columns that are read; none for all of them. Each holds numbers."""
    target: tuple[str, ...] = ()
    """The columns that are predicted, which need not be read; none for the first that is read."""
    delimiter: str = ","
    """What is between two cells."""
    missing: Literal["refuse", "hold"] = "refuse"
    """Cells that are empty, NA or NaN: refuse the file, or read the value before them. A target that is missing does
    not count."""

    needs_files = True

    def table(self, rows: float) -> Table:
        file = CSVFile(type(self).__name__, self.path, self.delimiter)
        file.check_names("columns", self.columns)
        file.check_names("target", self.target)
        read = self.columns or file.names
        targets = self.target or read[:1]
        names = list(dict.fromkeys((*read, *targets)))
        values = file.read(names, absent=self.missing == "hold").numbers
        if not len(values):
            raise file.refuse("it has a header and no rows")
        y_at = [names.index(name) for name in targets]
        counts = np.asarray(~np.isnan(values[:, y_at]).any(1))
        values = held(values, Scale.of(values[: int(len(values) * rows)]).mean)
        return Table(repr(self.path), values[:, [names.index(name) for name in read]], values[:, y_at], counts)

    def differs(self, other: Task) -> str | None:
        if isinstance(other, CSVForecast) and (self.path, self.train) != (other.path, other.train):
            return f"the scale of its numbers is that of {self.path!r}, not of {other.path!r}"
        return super().differs(other)


__all__ = ["CSVForecast"]
