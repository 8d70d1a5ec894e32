"""TensorBoard's event files, written by tensorboardX: https://tensorboardx.readthedocs.io."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnzoo.loggers.base import Log, LoggedRun, Logger, Row
from rnnzoo.spec import spec

NAME = "tensorboard"


@spec
class TensorBoard(Logger):
    """Event files in the folder ``tensorboard`` of the run folder, a folder for each seed if there are several.

    ``tensorboard --logdir runs`` shows all runs in ``runs``. Needs tensorboardX."""

    package = "tensorboardX"

    def open(self, run: LoggedRun) -> Log:
        """The event files, written anew: they follow from the run's own lines."""
        return _EventFiles(self.imported(), run)

    def where(self, folder: Path) -> str:
        """The command that shows them."""
        return f"tensorboard --logdir {folder / NAME}"


class _EventFiles(Log):
    def __init__(self, tensorboardx: Any, run: LoggedRun):
        folder = run.folder / NAME
        places = {seed: folder / f"seed-{seed}" if len(run.seeds) > 1 else folder for seed in run.seeds}
        for place in places.values():
            for old in place.glob("events.out.tfevents.*"):
                old.unlink()
        self.summary = tensorboardx.proto.summary_pb2.Summary  # add_scalar would write wrong_sums@2x as wrong_sums_2x
        # A TensorBoard that is open has read the old files; purge_step=0 makes it forget them.
        self.writers = [tensorboardx.SummaryWriter(str(place), purge_step=0) for place in places.values()]
        self.ends = []
        metrics = dict.fromkeys((f"validation/{run.headline}", f"test/{run.headline}"), 0.0)
        for writer, seed in zip(self.writers, run.seeds, strict=True):
            writer.add_text("config", f"```json\n{run.config}\n```", 0)
            experiment, start, end = tensorboardx.summary.hparams(run.hyperparameters_of(seed), metrics)
            writer.file_writer.add_summary(experiment)
            writer.file_writer.add_summary(start)
            self.ends.append(end)

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            for writer, numbers in zip(self.writers, row.numbers, strict=True):
                values = [self.summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
                writer.file_writer.add_summary(self.summary(value=values), row.step, row.time)
        for writer in self.writers:
            writer.flush()

    def close(self, complete: bool) -> None:
        for writer, end in zip(self.writers, self.ends, strict=True):
            if complete:
                writer.file_writer.add_summary(end)
            writer.close()


__all__ = ["TensorBoard"]
