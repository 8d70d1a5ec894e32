"""Running a study: what is missing in its table, pack by pack."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rnnzoo.spec import UsageError
from rnnzoo.study.lanes import Outcome, Pack, update_flops
from rnnzoo.study.plan import Study
from rnnzoo.study.shared import packs, program
from rnnzoo.study.table import Table, lines
from rnnzoo.tasks.base import Task
from rnnzoo.tasks.data import Data, InMemory
from rnnzoo.training.config import Config


@dataclasses.dataclass
class Work:
    """How much of a study is done, in updates of one lane."""

    total: int = 0
    done: int = 0
    began: float = dataclasses.field(default_factory=time.perf_counter)

    @property
    def seconds_left(self) -> float:
        """By the pace so far."""
        return (time.perf_counter() - self.began) * (self.total - self.done) / max(self.done, 1)


Report = Callable[[str, Work], None]


class Runner:
    """Runs what a table lacks. Data are opened once for each task, and programs compiled once."""

    def __init__(self, study: Study, table: Table, report: Report):
        self.study, self.table, self.report = study, table, report
        self.opened: dict[Task, InMemory] = {}
        self.compiled: dict[Any, Any] = {}
        self.work = Work()

    def run(self) -> None:
        """Choose what is to be chosen, then train the rows."""
        chosen = self._choose() if self.study.choose else dict(self.study.rows)
        self._run(chosen, "result")

    def missing(self, rows: dict[str, Config], purpose: str) -> dict[str, Config]:
        """The rows that are not in the table."""
        return {name: config for name, config in rows.items() if not self.table.has(name, purpose, config)}

    def _choose(self) -> dict[str, Config]:
        candidates = {name: self.study.candidates(name) for name in self.study.rows}
        self._run({name: c for group in candidates.values() for name, c in group.items()}, "choice")
        return {name: self._best(name, group) for name, group in candidates.items()}

    def _best(self, name: str, candidates: dict[str, Config]) -> Config:
        """The row with the numbers of the candidate that has the best median validation score, the first of equals."""
        row = self.study.rows[name]

        def rank(candidate: str) -> float:
            found = [
                float(line["best_validation"] or "nan")
                for line in self.table.lines
                if line["row"] == candidate and line["purpose"] == "choice"
            ]
            score = float(np.median(found))
            sign = 1 if row.task.better == "lower" else -1
            return float("inf") if np.isnan(score) else sign * score

        best = candidates[min(candidates, key=rank)]
        return dataclasses.replace(row, **{field: getattr(best, field) for field in self.study.choose})

    def _run(self, rows: dict[str, Config], purpose: str) -> None:
        rows = self.missing(rows, purpose)
        planned = packs(rows, lambda config: update_flops(config, self._data(config.task)))
        self.work = Work(total=sum(c.steps * c.seeds for c in rows.values()))
        for rows_of_pack in planned:
            first = next(iter(rows_of_pack.values()))
            pack = Pack(rows_of_pack, self._data(first.task), self.compiled)
            names = " + ".join(rows_of_pack)
            self.report(f"{names}: {len(pack.lanes)} lanes", self.work)
            before, lanes = self.work.done, len(pack.lanes)

            def stepped(step: int, before: int = before, lanes: int = lanes, names: str = names) -> None:
                self.work.done = before + step * lanes
                self.report("", self.work)

            outcomes = pack.run(stepped)
            self.work.done = before + first.steps * lanes
            self._write(rows_of_pack, outcomes, purpose)

    def _write(self, rows: dict[str, Config], outcomes: list[Outcome], purpose: str) -> None:
        for name, config in rows.items():
            own = [outcome for outcome in outcomes if outcome.row == name]
            self.table.add(lines(config, self._data(config.task), own, purpose))

    def check(self) -> None:
        """Trace one row of each program, to find what does not fit before anything is compiled or written."""
        rows, first = self.study.rows, {}
        for name, config in rows.items():
            first.setdefault(program(config), name)
        for name in first.values():
            try:
                Pack({name: rows[name]}, self._data(rows[name].task), {}).trace()
            except UsageError as error:
                raise UsageError(f"row {name!r}: {error}") from None

    def _data(self, task: Task) -> InMemory:
        if task not in self.opened:
            data: Data = task.open()
            if not isinstance(data, InMemory):
                name = type(task).__name__
                raise UsageError(f"{name} reads batches from the host; accepted in a study: tasks with data in memory")
            self.opened[task] = data
        return self.opened[task]


__all__ = ["Runner", "Work"]
