"""The contract of a logger: where the numbers of a run go besides its folder."""

import abc
import dataclasses
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from rnnzoo.spec import Spec, UsageError
from rnnzoo.spec_json import Scalar


@dataclasses.dataclass(frozen=True)
class LoggedRun:
    """What a log says of the run that it is about."""

    folder: Path
    id: str
    """Letters and digits that no other run has. It stays the same when the run goes on."""
    seeds: tuple[int, ...]
    hyperparameters: dict[str, Scalar]
    """The configuration, such as ``{"lr": 0.01, "cell": "GRU", "cell.hidden_size": 16, ...}``, without the seed."""
    config: str
    """The same as JSON."""
    headline: str
    """The name of the task's headline score, of those of ``validation/`` and ``test/``."""

    def hyperparameters_of(self, seed: int) -> dict[str, Scalar]:
        """Those of one seed."""
        return self.hyperparameters | {"seed": seed}

    def name_of(self, seed: int) -> str:
        """A name for people: that of the folder, with the seed if there are several."""
        name = self.folder.absolute().name
        return f"{name}-seed-{seed}" if len(self.seeds) > 1 else name


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the log."""

    step: int
    time: float
    """When it was written, in seconds since 1970. Of a line of an earlier process, an estimate."""
    numbers: tuple[dict[str, float], ...]
    """Of each seed, name -> number: ``train/loss``, ``validation/accuracy``, ``test/accuracy``, ..."""


class Log(abc.ABC):
    """A log that is being written. The methods may raise anything: the run goes on without the log."""

    @abc.abstractmethod
    def write(self, rows: Sequence[Row]) -> None:
        """Add rows. The first call has all rows of the run so far, which a log that is there may have already: none may
        stand in it twice."""

    @abc.abstractmethod
    def close(self, complete: bool) -> None:
        """End the log, with the run complete or not. It can be opened again later."""


class Logger(Spec, abc.ABC, kind="loggers"):
    """Opens logs. A member says which package it needs; that is imported only when a run asks for it."""

    package: ClassVar[str] = ""
    """The module that it imports; "" for none. The extra of rnnzoo that installs it is named after the logger."""

    @abc.abstractmethod
    def open(self, run: LoggedRun) -> Log:
        """The log of a run, which may be there already."""

    @abc.abstractmethod
    def where(self, folder: Path) -> str:
        """How to look at the log of a run folder, in a few words."""

    def check(self) -> None:
        """Raise `UsageError` if it cannot be used here. Called before anything is written."""
        if self.package:
            self.imported()

    def imported(self) -> Any:
        """The module of its package."""
        try:
            return importlib.import_module(self.package)
        except ImportError:
            raise UsageError(
                f"{self.package} is not installed; accepted: pip install 'rnnzoo[{type(self).__name__.lower()}]'"
            ) from None


__all__ = ["Log", "LoggedRun", "Logger", "Row"]
