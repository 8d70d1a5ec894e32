"""Classification of sequences in a CSV file with one row for each step."""

from typing import Literal

import numpy as np

from rnnzoo.spec import UsageError, brief, spec
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.classification.classify import Classify, Labelled, classes_of
from rnnzoo.tasks.csv_file import Columns, CSVFile, held


@spec
class CSVClassify(Classify):
    """The class of each sequence of a CSV file: x (T, B, I), y (B,), read at the last step.

    A row is one step. The rows of a sequence have the same text in the column `sequence`, and the same class in the
    column `label`; they need not be next to each other. Sequences may have different lengths. See `Classify` for parts,
    scores and baselines."""

    path: str = ""
    """A CSV file in UTF-8 whose first line names the columns."""
    sequence: str = "sequence"
    """The column that says which sequence a row belongs to."""
    label: str = "label"
    """The column with the class."""
    time: str = ""
    """A column of numbers by which the rows of a sequence are ordered; "" for the order of the file."""
    features: tuple[str, ...] = ()
    """The columns that are read, each of numbers; none for all others."""
    delimiter: str = ","
    """What is between two cells."""
    missing: Literal["refuse", "hold"] = "refuse"
    """Cells that are empty, NA or NaN: refuse the file, or read the value before them in the sequence; the mean over
    the file's rows where there is none before."""

    needs_files = True

    def labelled(self) -> Labelled:
        file = CSVFile(type(self).__name__, self.path, self.delimiter)
        special = tuple(filter(None, (self.sequence, self.label, self.time)))
        for field in ("sequence", "label", "time"):
            if field != "time" or self.time:
                file.check_names(field, (getattr(self, field),))
        if len(set(special)) < len(special):
            raise UsageError(
                f"{type(self).__name__}: sequence, label and time are {special}; accepted: different columns"
            )
        file.check_names("features", self.features)
        if both := set(self.features) & set(special):
            raise UsageError(
                f"{type(self).__name__}.features has {brief(min(both))}, which is the sequence, the label or the time; "
                "accepted: other columns"
            )
        features = self.features or tuple(name for name in file.names if name not in special)
        if not features:
            raise file.refuse("it has no column left to read")
        columns = file.read(
            (*features, *filter(None, (self.time,))), (self.sequence, self.label), self.missing == "hold"
        )
        if not len(columns.lines):
            raise file.refuse("it has a header and no rows")
        return self._sequences(file, columns, len(features))

    def _sequences(self, file: CSVFile, columns: Columns, features: int) -> Labelled:
        ids, labels = columns.texts
        number = dict[str, int]()  # by the first row of each
        of_row = np.array([number.setdefault(name, len(number)) for name in ids])
        time = columns.numbers[:, features] if self.time else np.arange(len(of_row), dtype=float)
        self._check_time(file, columns, time)
        order = np.lexsort((time, of_row))
        starts = np.flatnonzero(np.diff(of_row[order], prepend=-1))
        self._check_labels(file, columns, of_row)
        if self.time:
            same = np.flatnonzero((np.diff(of_row[order]) == 0) & (np.diff(time[order]) == 0))
            if len(same):
                row = order[same[0] + 1]
                raise file.refuse(f"line {columns.lines[row]}: sequence {brief(ids[row])} has that time twice")
        lengths = np.diff(np.append(starts, len(order)))
        values = columns.numbers[order, :features]
        with np.errstate(all="ignore"):
            mean = np.nan_to_num(np.nanmean(columns.numbers[:, :features], axis=0)) if self.missing == "hold" else None
        x = np.zeros((len(lengths), int(lengths.max()), features))
        for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            piece = values[start : start + length]
            x[row, :length] = piece if mean is None else held(piece, mean)
        classes, y = classes_of([labels[order[start]] for start in starts])
        return Labelled(repr(self.path), x, y, lengths, classes)

    def _check_time(self, file: CSVFile, columns: Columns, time: np.ndarray) -> None:
        if np.isnan(time).any():
            line = columns.lines[np.flatnonzero(np.isnan(time))[0]]
            raise file.refuse(f"line {line}: the time, column {brief(self.time)}, is missing")

    def _check_labels(self, file: CSVFile, columns: Columns, of_row: np.ndarray) -> None:
        ids, labels = columns.texts
        first = dict[int, str]()
        for row, (sequence, label) in enumerate(zip(of_row.tolist(), labels, strict=True)):
            if first.setdefault(sequence, label) != label:
                raise file.refuse(
                    f"line {columns.lines[row]}: sequence {brief(ids[row])} has the label {brief(label)}, and "
                    f"{brief(first[sequence])} before"
                )

    def differs(self, other: Task) -> str | None:
        if isinstance(other, CSVClassify) and (self.path, self.features) != (other.path, other.features):
            return f"its classes and its scale are those of {self.path!r}, not of {other.path!r}"
        return super().differs(other)


__all__ = ["CSVClassify"]
