"""The table of a study: a CSV file with a line for each seed of each row, written as rows end."""

import csv
import hashlib
import io
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnzoo.cells.base import Recurrent
from rnnzoo.counts import nonzeros_u, num_params
from rnnzoo.disk import read_text, write_whole
from rnnzoo.models import Model
from rnnzoo.shown import in_full
from rnnzoo.spec import UsageError
from rnnzoo.spec_json import to_json
from rnnzoo.structures.base import Structure
from rnnzoo.study.lanes import Outcome
from rnnzoo.tasks.data import Data
from rnnzoo.training.config import Config
from rnnzoo.training.results import environment
from rnnzoo.training.solved import is_solved

Line = dict[str, str]

COLUMNS = (
    "row", "purpose", "seed", "task", "cell", "structure", "hidden_size", "layers", "params", "params_u",
    "nonzeros_u", "optimizer", "lr", "batch_size", "steps", "metric", "better", "solved_at", "baselines",
    "validation", "test", "solved", "solved_step", "solved_seconds", "best_step", "best_validation",
    "best_test", "ended", "seconds", "diverged", "scores", "device", "devices", "python", "jax", "jaxlib",
    "rnnzoo", "config",
)  # fmt: skip


def columns(rows: Mapping[str, Config]) -> list[str]:
    """The columns of a study's table."""
    lengths = sorted({n for config in rows.values() for n in config.eval_lengths})
    at = COLUMNS.index("solved")
    return [*COLUMNS[:at], *(f"test@{n}x" for n in lengths), *COLUMNS[at:]]


def checksum(config: Config) -> str:
    """By which a line of a table knows its configuration. The seed has a column of its own."""
    value = json.loads(to_json(config))
    for name in ("seed", "seeds", "log_every", "devices"):
        value.get("fields", value).pop(name, None)
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def lines(config: Config, data: Data, outcomes: list[Outcome], purpose: str) -> list[dict[str, Any]]:
    """The lines of one row."""
    model, task, metric = config.network(data), config.task, config.task.metric
    surroundings = environment()
    shared = {
        "purpose": purpose,
        "task": in_full(task),
        "cell": type(config.cell).__name__,
        "structure": structure_of(config),
        "hidden_size": config.cell.hidden_size,
        "layers": config.model.layers,
        "params": num_params(model),
        "params_u": params_u(model),
        "nonzeros_u": nonzeros_u(model),
        **{name: getattr(config, name) for name in ("optimizer", "lr", "batch_size", "steps")},
        "metric": metric,
        "better": task.better,
        "solved_at": task.solved_at,
        "baselines": json.dumps(task.baselines(data)),
        "device": surroundings["device"],
        "devices": surroundings["number of devices"],
        **{name: surroundings[name] for name in ("python", "jax", "jaxlib", "rnnzoo")},
        "config": checksum(config),
    }
    return [{"row": o.row, "seed": o.seed, **shared, **_of_outcome(config, o)} for o in outcomes]


def _of_outcome(config: Config, outcome: Outcome) -> dict[str, Any]:
    metric = config.task.metric
    found: dict[str, Any] = {
        "validation": outcome.validation,
        "test": outcome.test[metric],
        "solved": is_solved(config.task, outcome.test[metric]),
        "ended": outcome.steps,
        "scores": json.dumps({name: _finite(value) for name, value in outcome.test.items()}),
    }
    for n in config.eval_lengths:
        found[f"test@{n}x"] = outcome.test[f"{metric}@{n}x"]
    names = ("solved_step", "solved_seconds", "best_step", "best_validation", "best_test", "seconds", "diverged")
    return found | {name: getattr(outcome, name) for name in names}


def _finite(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def structure_of(config: Config) -> str:
    """The structure of U, as it is written in Python; "" for a cell without one."""
    structure = getattr(config.cell, "structure", None)
    return in_full(structure) if isinstance(structure, Structure) or isinstance(config.cell, Recurrent) else ""


def params_u(model: Model) -> int:
    """Free numbers in all recurrent matrices of a network."""
    return sum(s.num_params(cell.hidden_size) for cell, _ in model.cells for s in cell.structures.values())


class Table:
    """A CSV file that grows by whole rows. What is in it stays; a line that a kill cut off is taken away."""

    def __init__(self, path: Path, names: list[str]):
        self.path, self.names = path, names
        self.lines: list[Line] = []

    def open(self, resume: bool) -> None:
        """Make the file with its header; or read one that is there.

        Raises:
            UsageError: it is there and not to be gone on with, or is no such table.
        """
        if self.path.exists():
            if not resume:
                raise UsageError(f"{self.path} is there; accepted: --resume to go on with it, or another --out")
            self.lines = _whole(self.path, self.names)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, self._text(self.lines, header=True))

    def has(self, row: str, purpose: str, config: Config) -> bool:
        """Whether all seeds of a row are in the table.

        Raises:
            UsageError: the row is there with another configuration.
        """
        there = [line for line in self.lines if line["row"] == row and line["purpose"] == purpose]
        if any(line["config"] != checksum(config) for line in there):
            raise UsageError(
                f"{self.path} has the row {row!r} of another configuration; accepted: the study that wrote it, or "
                "another --out"
            )
        return {int(line["seed"]) for line in there} >= set(range(config.seed, config.seed + config.seeds))

    def add(self, new: list[dict[str, Any]]) -> None:
        """Write the lines that are not there yet: of a row that was cut off, the first may be."""
        there = {(line["row"], line["purpose"], line["seed"]) for line in self.lines}
        said = [{name: _said(line.get(name)) for name in self.names} for line in new]
        kept = [line for line in said if (line["row"], line["purpose"], line["seed"]) not in there]
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            file.write(self._text(kept))
            file.flush()
            os.fsync(file.fileno())
        self.lines += kept

    def _text(self, lines: list[Line], header: bool = False) -> str:
        out = io.StringIO()
        writer = csv.DictWriter(out, self.names, lineterminator="\n")
        if header:
            writer.writeheader()
        writer.writerows(lines)
        return out.getvalue()


def _said(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _whole(path: Path, names: list[str]) -> list[Line]:
    """The lines of a table; without the last one if it does not end."""
    text = read_text(path)
    text = text[: text.rfind("\n") + 1]
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or rows[0] != names:
        raise UsageError(f"{path} is not the table of this study: its columns differ; accepted: another --out")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            raise UsageError(f"{path}, line {number}: {len(row)} columns; accepted: {len(names)}")
    return [dict(zip(names, row, strict=True)) for row in rows[1:]]


def read_table(path: Path) -> list[Line]:
    """The lines of any study's table.

    Raises:
        UsageError: it is no such table.
    """
    header = read_text(path).partition("\n")[0].split(",")
    if missing := [name for name in COLUMNS if name not in header]:
        raise UsageError(f"{path} is not the table of a study: it lacks the column {missing[0]}")
    return _whole(path, header)


__all__ = ["COLUMNS", "Line", "Table", "checksum", "columns", "lines", "read_table"]
