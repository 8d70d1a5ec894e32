"""Weights & Biases: https://docs.wandb.ai."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnzoo.loggers.base import Log, LoggedRun, Logger, Row
from rnnzoo.spec import UsageError, spec


@spec
class WandB(Logger):
    """A run of Weights & Biases for each seed, in a group if there are several. Needs wandb.

    ``WANDB_MODE=offline`` keeps it in the run folder, for ``wandb sync``; wandb's other variables hold as well."""

    package = "wandb"

    project: str = ""
    """The project; "" for that of WANDB_PROJECT, or rnnzoo."""
    entity: str = ""
    """The user or team that owns it; "" for the default of your account."""

    def check(self) -> None:
        """Also ask for a key, or refuse where there is none, before training."""
        wandb = self.imported()
        if wandb.setup().settings.mode in ("offline", "dryrun", "disabled"):
            return
        try:
            wandb.login()
        except wandb.errors.Error as error:
            raise UsageError(f"wandb: {error}; accepted: wandb login, or WANDB_MODE=offline") from None

    def open(self, run: LoggedRun) -> Log:
        """New runs, or those that an earlier process began."""
        project = self.project or os.environ.get("WANDB_PROJECT", "rnnzoo")
        return _Runs(self.imported(), run, project, self.entity or None)

    def where(self, folder: Path) -> str:
        """The command that uploads an offline run. wandb itself prints the address of one that is online."""
        return f"wandb; runs logged offline are uploaded by: wandb sync {folder}/wandb/offline-run-*"


class _Runs(Log):
    def __init__(self, wandb: Any, run: LoggedRun, project: str, entity: str | None):
        self.runs = []
        for seed in run.seeds:
            name, one = run.name_of(seed), f"{run.id}-{seed}"
            earlier = list((run.folder / "wandb").glob(f"offline-run-*-{one}"))
            self.runs.append(
                wandb.init(
                    project=project,
                    entity=entity,
                    name=name,
                    id=one,
                    group=run.folder.absolute().name if len(run.seeds) > 1 else None,
                    config=run.hyperparameters_of(seed),
                    dir=str(run.folder),
                    resume=None if wandb.setup().settings.mode == "offline" else "allow",
                    reinit="create_new",
                )
            )
            for folder in earlier:  # an offline run cannot be resumed: the new one gets all rows
                shutil.rmtree(folder)

    def write(self, rows: Sequence[Row]) -> None:
        for n, run in enumerate(self.runs):
            for row in rows:
                if row.step >= run.starting_step:  # what came before is there
                    run.log(row.numbers[n], step=row.step)

    def close(self, complete: bool) -> None:
        for run in self.runs:
            run.finish(exit_code=0 if complete else 1)


__all__ = ["WandB"]
