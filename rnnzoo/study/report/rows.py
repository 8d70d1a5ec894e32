"""The rows of tables: all seeds of one configuration, with medians, ranges and counts of solved seeds."""

import dataclasses
import functools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from rnnzoo.study.summary import values
from rnnzoo.study.table import Line

BUDGETS = ("equal H", "equal params", "equal seconds")  # the last part of a row's name, where sizes are compared
AT_BEST = ("real", "rates")  # suites whose score is that of the checkpoint that was best on validation data
QUESTION = ("question", "question with biases")  # suites whose task and cell the names leave out


class NotRunError(LookupError):
    """No table has a row that was asked for."""


@dataclasses.dataclass(frozen=True)
class Place:
    """What the name of a row says: suite/task/cell/structure, and perhaps the budget."""

    suite: str
    task: str
    cell: str
    structure: str
    budget: str = ""

    @property
    def group(self) -> tuple[str, str, str, str]:
        """What rows have in common that differ in the structure alone."""
        return self.suite, self.task, self.cell, self.budget

    @functools.cached_property
    def length(self) -> int | None:
        """The T of a task named as "adding T=100"."""
        found = re.search(r"\bT=(\d+)", self.task)
        return int(found[1]) if found else None

    @property
    def kind(self) -> str:
        """The task without its T."""
        return re.sub(r"\s*\bT=\d+", "", self.task)


def place_of(name: str) -> Place:
    """What a row's name says. A name of another form is a structure by itself."""
    parts = name.split("/")
    budget = parts.pop() if len(parts) > 1 and parts[-1] in BUDGETS else ""
    structure = parts.pop()
    if parts and parts[0] in QUESTION:
        return Place(parts[0], " ".join(["addition", *parts[1:]]), "sigmoid", structure, budget)
    if len(parts) == 2:
        return Place(parts[0], "addition", parts[1], structure, budget)
    if len(parts) < 3:
        return Place("".join(parts), "", "", structure, budget)
    return Place(parts[0], " ".join(parts[1:-1]), parts[-1], structure, budget)


@dataclasses.dataclass(frozen=True, eq=False)
class Row:
    """All seeds of one configuration."""

    name: str
    file: Path
    lines: list[Line]

    @functools.cached_property
    def place(self) -> Place:
        return place_of(self.name)

    def __getattr__(self, name: str) -> str:
        """A column whose value all seeds share."""
        lines = self.__dict__.get("lines")
        if not lines or name not in lines[0]:
            raise AttributeError(name)
        return lines[0][name]

    @property
    def n(self) -> int:
        """How many seeds."""
        return len(self.lines)

    @functools.cached_property
    def seeds(self) -> list[int]:
        return [int(line["seed"]) for line in self.lines]

    @property
    def column(self) -> str:
        """Which column the row is judged by."""
        return "best_test" if self.place.suite in AT_BEST else "test"

    @functools.cached_property
    def scores(self) -> np.ndarray:
        """(seeds,) the metric on the test part."""
        return self.at(None)

    def at(self, times: int | None) -> np.ndarray:
        """(seeds,) the metric at so many times the training length; NaN where the table does not have it."""
        return np.array(values(self.lines, self.column if times is None else f"test@{times}x"))

    @property
    def lengths(self) -> list[int]:
        """The multiples of the training length at which it was judged."""
        found = (re.fullmatch(r"test@(\d+)x", name) for name, value in self.lines[0].items() if value)
        return sorted(int(match[1]) for match in found if match)

    @property
    def median(self) -> float:
        return _middle(self.scores, self.lower_is_better)

    def median_at(self, times: int) -> float:
        """The median at so many times the training length."""
        return _middle(self.at(times), self.lower_is_better)

    @property
    def low(self) -> float:
        return float(np.nanmin(self._finite))

    @property
    def high(self) -> float:
        return float(np.nanmax(self._finite))

    @property
    def _finite(self) -> np.ndarray:
        finite = self.scores[np.isfinite(self.scores)]
        return finite if len(finite) else np.array([math.nan])

    @property
    def lower_is_better(self) -> bool:
        return self.better == "lower"

    @property
    def diverged(self) -> int:
        """How many seeds have no finite score."""
        return int((~np.isfinite(self.scores)).sum())

    @property
    def threshold(self) -> float | None:
        """At which a seed is solved; None if the task has no threshold."""
        return float(self.solved_at) if self.solved_at else None

    def solved(self, times: int | None = None) -> int | None:
        """How many seeds pass the threshold, at the training length or so many times it; None without a threshold, or
        if it was not judged there."""
        scores, threshold = self.at(times), self.threshold
        if threshold is None or (times is not None and np.isnan(scores).all()):
            return None
        return int((scores < threshold if self.lower_is_better else scores > threshold).sum())

    @property
    def seconds(self) -> float:
        """Median training time of a seed."""
        return float(np.nanmedian([*values(self.lines, "seconds"), math.nan]))

    @property
    def versions(self) -> str:
        return f"Python {self.python}, jax {self.jax}, rnnzoo {self.rnnzoo}"


def _middle(scores: np.ndarray, lower_is_better: bool) -> float:
    """The median, with a seed that diverged as the worst of all; NaN if that makes it infinite."""
    worst = math.inf if lower_is_better else -math.inf
    middle = float(np.median(np.where(np.isfinite(scores), scores, worst)))
    return middle if math.isfinite(middle) else math.nan


class Tables:
    """The rows of several tables by name."""

    def __init__(self, rows: dict[str, Row], files: list[Path]):
        self.rows, self.files = rows, files
        self.concerns: Mapping[str, str] = {}
        """Prediction -> regular expression of the names of the rows that it is about."""

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Row:
        """The row of a name; letter case, "-" and "_" do not matter.

        Raises:
            NotRunError: no table has it.
        """
        if (row := self._plain.get(_plain(name))) is None:
            raise NotRunError(name)
        return row

    @functools.cached_property
    def _plain(self) -> dict[str, Row]:
        return {_plain(name): row for name, row in self.rows.items()}

    def find(self, **wanted: str) -> list[Row]:
        """The rows whose `Place` has these values, such as ``find(suite="real", kind="jsb")``."""
        return [
            row
            for row in self
            if all(_plain(str(getattr(row.place, field))) == _plain(value) for field, value in wanted.items())
        ]

    def predicted(self, name: str) -> str:
        """The predictions about a row."""
        return " ".join(p for p, pattern in self.concerns.items() if re.fullmatch(pattern, name))

    def groups(self) -> dict[tuple[str, str, str, str], list[Row]]:
        """Rows that differ in the structure alone."""
        found: dict[tuple[str, str, str, str], list[Row]] = {}
        for row in self:
            found.setdefault(row.place.group, []).append(row)
        return found


def _plain(name: str) -> str:
    return name.lower().replace("-", " ").replace("_", " ")


def by_size(rows: Iterable[Row]) -> list[str]:
    """The structures of rows, those with fewer free numbers in U first."""
    sizes: dict[str, float] = {}
    for row in rows:
        sizes[row.place.structure] = max(sizes.get(row.place.structure, 0.0), float(row.params_u))
    return sorted(sizes, key=lambda name: (sizes[name], name))


__all__ = ["NotRunError", "Place", "Row", "Tables", "by_size", "place_of"]
