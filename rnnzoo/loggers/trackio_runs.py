"""Trackio, of Hugging Face: https://huggingface.co/docs/trackio."""

import contextlib
import contextvars
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnzoo.loggers.base import Log, LoggedRun, Logger, Row
from rnnzoo.spec import spec


@spec
class Trackio(Logger):
    """A run of trackio for each seed, in a group if there are several; on this machine, in TRACKIO_DIR. Needs trackio.

    With TRACKIO_SPACE_ID, in that Space of Hugging Face."""

    package = "trackio"

    project: str = ""
    """The project; "" for that of TRACKIO_PROJECT, or rnnzoo."""

    def named(self) -> str:
        """The project's name."""
        return self.project or os.environ.get("TRACKIO_PROJECT", "rnnzoo")

    def open(self, run: LoggedRun) -> Log:
        """New runs, or those that an earlier process began."""
        return _Runs(self.imported(), run, self.named())

    def where(self, folder: Path) -> str:
        """The command that shows it."""
        return f"trackio show --project {self.named()}"


class _Runs(Log):
    def __init__(self, trackio: Any, run: LoggedRun, project: str):
        self.runs = []
        for seed in run.seeds:
            # trackio.init ends the run before it that it finds in its context, and prints how to see the project.
            said = io.StringIO() if self.runs else None
            with contextlib.redirect_stdout(said) if said else contextlib.nullcontext():
                made = contextvars.copy_context().run(
                    trackio.init,
                    project=project,
                    name=f"{run.name_of(seed)}-{run.id}",  # which is what trackio knows a run by
                    group=run.folder.absolute().name if len(run.seeds) > 1 else None,
                    config=run.hyperparameters_of(seed),
                    resume="allow",
                    embed=False,
                )
            self.runs.append(made)
        # What its next step would be, if it counted by itself: what came before is there.
        self.starts = [run._next_step for run in self.runs]

    def write(self, rows: Sequence[Row]) -> None:
        for n, (run, start) in enumerate(zip(self.runs, self.starts, strict=True)):
            for row in rows:
                if row.step >= start:
                    run.log(dict(row.numbers[n]), step=row.step)

    def close(self, complete: bool) -> None:
        for run in self.runs:
            run.finish()


__all__ = ["Trackio"]
