"""What a run prints: one line per log step, and on a terminal a live bar."""

import sys
import warnings
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from rnnzoo.disk import append
from rnnzoo.training.config import Config
from rnnzoo.training.lengths import at_lengths
from rnnzoo.visible import visible

MESSAGES = "messages.log"


class Progress:
    """What will be trained, one line per log step, what came out; on a terminal also a live bar with the time left.

    A run does not end because nobody reads what it prints: from then on its lines go to messages.log in `folder`."""

    def __init__(self, config: Config):
        self.config = config
        self.folder: Path | None = None
        """Where messages go that cannot be printed; None: nowhere."""
        self._closed: set[str] = set()
        self._bar: Any = None
        if sys.stdout is not None and sys.stdout.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            state = TextColumn("{task.fields[state]}", markup=False)
            self._bar = Progress(BarColumn(), MofNCompleteColumn(), state, transient=True)
            self._task = self._bar.add_task("training", total=config.steps, state="starting")
            self._bar.start()

    def begin(self, description: list[str]) -> None:
        """Say what will be trained."""
        for text in description:
            self.line(text)

    def compiling(self) -> None:
        """Say that the training program is being compiled."""
        if self._bar is None:
            self.line("compiling ...")
        else:
            self._bar.update(self._task, state="compiling")

    def compiled(self, seconds: float) -> None:
        """Say how long that took."""
        self.line(f"compiled in {seconds:.1f} s")

    def at(self, step: int, left: float) -> None:
        """Move the bar to a step, with so many seconds of training left."""
        if self._bar is not None:
            state = f"{duration(left)} left" if step < self.config.steps else "scoring"
            self._bar.update(self._task, completed=step, state=state)

    def line(self, text: str) -> None:
        """Print a line of text."""
        text = visible(text)
        if self._bar is not None:
            self._bar.console.print(text, highlight=False, markup=False)
        else:
            self._print("standard output", sys.stdout, text)

    def warn(self, text: str) -> None:
        """Print a warning, to standard error."""
        self._print("standard error", sys.stderr, f"warning: {visible(text)}")

    def error(self, text: str) -> None:
        """Print why the run ended early, to standard error."""
        self._print("standard error", sys.stderr, visible(text))

    def _print(self, name: str, stream: TextIO | None, text: str) -> None:
        if name not in self._closed:
            try:
                print(text, file=stream, flush=True)
                return
            except (OSError, ValueError) as error:  # a pipe without a reader, a full disk, a closed file
                self._closed.add(name)
                text = f"{name} cannot be written ({error}); the run goes on, and says here what it would print\n{text}"
        if self.folder is not None:
            append(self.folder / MESSAGES, text + "\n")

    def step(self, record: dict[str, Any], scores: dict[str, list[float]]) -> None:
        """Report one line of metrics.jsonl, with the validation scores that belong to it; {} for none."""
        steps, rate = self.config.steps, record["steps_per_second"]
        left = (steps - record["step"]) / rate
        parts = [
            f"step {record['step']:>{len(str(steps))}}/{steps}",
            f"loss {np.median(record['loss']):.4f} {self.config.task.loss_unit}".rstrip(),
            f"{rate:.0f} steps/s",
        ]
        if self._bar is None:  # which says it, too
            parts.append(f"{duration(left)} left")
        if scores:
            parts.append(self._scores(scores))
        self.line("  ".join(parts))
        self.at(record["step"], left)

    def _scores(self, scores: dict[str, list[float]]) -> str:
        metric = self.config.task.metric
        said = f"validation {metric} {np.median(scores[metric]):.4f}"
        longer = [
            f"{times}x {np.median(scores[name]):.4f}"
            for times, name in at_lengths(self.config).items()
            if name in scores
        ]
        return f"{said} ({', '.join(longer)})" if longer else said

    def close(self) -> None:
        """End the live bar."""
        if self._bar is not None:
            self._bar.stop()


class Silent(Progress):
    """Prints nothing. Warnings are Python's own."""

    def __init__(self, config: Config):
        self.config, self.folder, self._bar = config, None, None

    def line(self, text: str) -> None:
        """Nothing."""

    def warn(self, text: str) -> None:
        """A Python warning."""
        warnings.warn(visible(text), stacklevel=2)

    def error(self, text: str) -> None:
        """Nothing: the exception says it."""


def duration(seconds: float) -> str:
    """A time in minutes and seconds, such as 3:07."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


__all__ = ["Progress", "Silent", "duration"]
