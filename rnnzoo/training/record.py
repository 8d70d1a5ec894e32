"""What a run has done up to a step. Every checkpoint holds it, and the other files of a run follow from it."""

import dataclasses
import math
from typing import Any

import numpy as np

from rnnzoo.spec import UsageError, accepts
from rnnzoo.tasks.base import Task

Scores = dict[str, list[float]]  # by name, of each seed
Line = dict[str, Any]  # of metrics.jsonl
MEANS = ("loss", "grad_norm")  # of each step, whose means over the steps since the last line are logged


@dataclasses.dataclass
class Record:
    """Times are without compilation and evaluation."""

    step: int = 0
    seconds: float = 0.0
    """Of training, since step 0."""
    lines: list[Line] = dataclasses.field(default_factory=list)
    """All of metrics.jsonl."""
    best: dict[str, Any] | None = None
    """``step`` and ``validation`` scores of the best checkpoint; None if there is none yet."""
    unfinished: dict[str, list[list[float]]] = dataclasses.field(default_factory=dict)
    """The values of each step since the last line, of each seed: (S, steps)."""
    place: Any = None
    """Where iterators over training data are."""
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    """Versions and devices of the process that wrote it."""

    def take(self, metrics: dict[str, np.ndarray], seconds: float) -> None:
        """Add steps that have been trained: metrics (S, steps)."""
        for name in MEANS:
            old = self.unfinished.get(name) or [[] for _ in metrics[name]]
            self.unfinished[name] = [a + b.tolist() for a, b in zip(old, metrics[name], strict=True)]
        self.step += metrics["loss"].shape[1]
        self.seconds += seconds

    def line(self) -> Line:
        """The next line of metrics.jsonl, of the steps since the last one."""
        last = self.lines[-1] if self.lines else {"seconds": 0.0}
        steps = len(self.unfinished["loss"][0])
        means = {name: np.asarray(self.unfinished[name], np.float32).mean(1).tolist() for name in MEANS}
        rate = steps / max(self.seconds - last.get("seconds", 0.0), 1e-9)
        return {"step": self.step, **means, "steps_per_second": rate, "seconds": self.seconds}

    def add(self, line: Line) -> None:
        """Add a line, which ends the interval."""
        self.lines.append(line)
        self.unfinished = {}

    def validation(self) -> Scores:
        """The newest validation scores; {} if there are none."""
        return next((line["validation"] for line in reversed(self.lines) if "validation" in line), {})

    def is_passing(self, step: int) -> bool:
        """Whether a checkpoint of that step is there because the run was stopped, and not one of an evaluation."""
        return step > 0 and not any(line["step"] == step and "validation" in line for line in self.lines)

    def is_better(self, task: Task, validation: Scores) -> bool:
        """Whether the median over seeds is better than the best so far. What is not finite is never better."""
        new = float(np.median(validation[task.metric]))
        if not math.isfinite(new) or self.best is None:
            return math.isfinite(new)
        old = float(np.median(self.best["validation"][task.metric]))
        return new < old if task.better == "lower" else new > old

    # ---- JSON ----

    def to_json(self) -> dict[str, Any]:
        """As plain data. What is not finite is None: JSON has no NaN."""
        return finite(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, data: Any, where: str) -> "Record":
        """Inverse of `to_json`.

        Raises:
            UsageError: it is no record; the message begins with `where`.
        """
        if not isinstance(data, dict) or "step" not in data or not data.keys() <= KINDS.keys():
            raise UsageError(f"{where} holds no record of a run")
        for name, value in data.items():
            if not isinstance(value, KINDS[name]) or isinstance(value, bool):
                raise UsageError(f"{where} has {name}: {str(value)[:40]!r}; it is damaged")
        record = cls(**data)
        try:
            record.lines = [restored(line) for line in record.lines]
            if record.best is not None:
                record.best |= {"validation": _scores(record.best.get("validation"))}
                if type(record.best.get("step")) is not int:
                    raise ValueError("the best checkpoint has no step")
        except ValueError as error:
            raise UsageError(f"{where} is damaged: {error}") from None
        return record


# What JSON holds for each field of a `Record`.
KINDS: dict[str, Any] = {
    "step": int,
    "seconds": int | float,
    "lines": list,
    "best": dict | None,
    "unfinished": dict,
    "place": object,
    "environment": dict,
}


def finite(value: Any) -> Any:
    """Plain data with None in place of NaN and infinity."""
    if isinstance(value, dict):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def restored(line: Any) -> Line:
    """A line of metrics.jsonl from parsed JSON, with NaN in place of None.

    Raises:
        ValueError: it is no such line.
    """
    if not isinstance(line, dict) or type(line.get("step")) is not int or not isinstance(line.get("loss"), list):
        raise ValueError("not a line of metrics.jsonl")
    numbers = {name: _seeds(line[name]) for name in MEANS if name in line}
    return line | numbers | {name: _scores(line[name]) for name in ("validation", "scores") if name in line}


def _scores(scores: Any) -> Scores:
    if not isinstance(scores, dict):
        raise ValueError("scores are no object")
    return {name: _seeds(values) for name, values in scores.items()}


def _seeds(values: Any) -> list[float]:
    if not isinstance(values, list) or not values or not all(map(_is_number, values)):
        raise ValueError("not the values of all seeds")
    return [math.nan if value is None else float(value) for value in values]


def _is_number(value: Any) -> bool:
    """Whether it is what JSON has for a float: None where that is not finite."""
    return value is None or accepts(float, value)


__all__ = ["MEANS", "Line", "Record", "Scores", "finite", "restored"]
