"""The logs of one run: what they say of it, and rows from the lines of metrics.jsonl."""

import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnzoo.disk import read_text, write_whole
from rnnzoo.loggers.base import Log, LoggedRun, Logger, Row
from rnnzoo.spec import UsageError, brief, find
from rnnzoo.spec_json import flattened, to_json
from rnnzoo.training.config import Config
from rnnzoo.training.numbers import numbers_of
from rnnzoo.training.optimizer import learning_rate
from rnnzoo.training.record import MEANS, Line

ID = "log.id"
PARTS = {"validation": "validation", "scores": "test"}  # a line's name for scores -> what begins theirs in a log


Asked = str | Logger | Sequence[str | Logger]
"""What `rnnzoo.train` takes as `log`."""


class Logs:
    """The logs of one run, as a context.

    They follow from the run's lines: a log that broke, or was not asked for at first, is whole once the same command
    runs again."""

    def __init__(self, asked: Asked, config: Config, folder: Path, warn: Callable[[str], object]):
        """Raise `UsageError` for a logger that does not exist or lacks its package. Nothing is written."""
        loggers = (asked,) if isinstance(asked, (str, Logger)) else asked
        self.loggers = {_name(one): one for one in map(_found, loggers)}
        self.config, self.folder, self.warn = config, folder, warn
        self.open: dict[str, Log] | None = None
        self.written = 0
        for logger in self.loggers.values():
            logger.check()

    def follow(self, lines: list[Line]) -> None:
        """Write the lines that have come since the last call; all, the first time."""
        if self.open is None:
            self.open = {}
            run = logged_run(self.config, self.folder) if self.loggers else None
            for name, logger in self.loggers.items():
                if (log := self._try(name, logger.open, run)) is not None:
                    self.open[name] = log
        rows = rows_of(self.config, lines, self.written) if self.open else []
        self.written = len(lines)
        for name, log in list(self.open.items()):
            self._try(name, log.write, rows)

    def __enter__(self) -> "Logs":
        return self

    def __exit__(self, kind: Any, *error: Any) -> None:
        """End all logs. The run is complete if nothing was raised."""
        for name, log in list((self.open or {}).items()):
            self._try(name, log.close, kind is None)

    def where(self) -> list[str]:
        """How to look at those that were written."""
        return [f"log: {self.loggers[name].where(self.folder)}" for name in self.open or {}]

    def _try(self, name: str, method: Callable[[Any], Any], argument: Any) -> Any:
        """What the method returns. If it raises, the log gets no more rows, and the run goes on."""
        try:
            return method(argument)
        except Exception as error:
            (self.open or {}).pop(name, None)
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            self.warn(f"the log {name} ends: {reason}. The run goes on; the same command again writes the log whole")
            return None


def _found(logger: str | Logger) -> Logger:
    if isinstance(logger, str):
        return find("loggers", logger)()  # pyright: ignore[reportReturnType]
    if not isinstance(logger, Logger):
        raise UsageError(f"log has {brief(logger)}; accepted: a name, or a member of rnnzoo.loggers")
    return logger


def _name(logger: Logger) -> str:
    return type(logger).__name__


def logged_run(config: Config, folder: Path) -> LoggedRun:
    """What logs say of a run. Makes the file that holds its id, where there is none."""
    if not (file := folder / ID).is_file():
        write_whole(file, secrets.token_hex(4) + "\n")
    hyperparameters = {name: value for name, value, _ in flattened(config)}
    for name in ("seed", "seeds"):
        del hyperparameters[name]
    return LoggedRun(
        folder=folder,
        id=read_text(file).strip(),
        seeds=tuple(range(config.seed, config.seed + config.seeds)),
        hyperparameters=hyperparameters,
        config=to_json(config, indent=1),
        headline=config.task.metric,
    )


def rows_of(config: Config, lines: list[Line], first: int = 0) -> list[Row]:
    """The rows of lines of metrics.jsonl, from the one of index `first` on."""
    if not lines[first:]:
        return []
    rate, now = learning_rate(config, numbers_of(config)), time.time()
    end = lines[-1].get("seconds", 0.0)
    found = []
    for line in lines[first:]:
        shared: dict[str, float] = {
            "train/lr": np.asarray(rate(line["step"] - 1)).item()
        }  # of the update that led to this step
        shared |= {f"train/{name}": line[name] for name in ("steps_per_second", "seconds") if name in line}
        numbers = tuple(_means(line, n) | shared | _scores(line, n) for n in range(config.seeds))
        found.append(Row(line["step"], now - end + line.get("seconds", 0.0), numbers))
    return found


def _means(line: Line, n: int) -> dict[str, float]:
    return {f"train/{name}": line[name][n] for name in MEANS if name in line}


def _scores(line: Line, n: int) -> dict[str, float]:
    return {f"{part}/{name}": values[n] for key, part in PARTS.items() for name, values in line.get(key, {}).items()}


__all__ = ["Asked", "Logs", "logged_run", "rows_of"]
