"""Going on with a run: its record, and all of its files made to follow from it."""

from collections.abc import Callable

from rnnzoo.training.record import Record, Scores
from rnnzoo.training.run_folder import RunFolder
from rnnzoo.training.update import TrainState
from rnnzoo.typing import PyTree

Warn = Callable[[str], None]


def record_of(
    folder: RunFolder, step: int, like: PyTree, validate: Callable[[TrainState], Scores], warn: Warn
) -> Record:
    """The record of the last checkpoint, of that step. One that the first edition wrote has none: then it is made from
    metrics.jsonl, with `validate` for the scores of a best checkpoint that was never validated."""
    if (found := folder.last.record(step)) is not None:
        return Record.from_json(found, f"the checkpoint of step {step}")
    lines = [line for line in folder.records() if line["step"] <= step]
    if any("scores" in line and "validation" not in line for line in lines):
        warn("an older rnnzoo began this run and had no validation set; it may have trained on part of today's")
    record = Record(step, max((line.get("seconds", 0.0) for line in lines), default=0.0), lines)
    if (best := folder.best.restore(like, warn)) is not None:
        known = [line["validation"] for line in lines if line["step"] == best[0] and "validation" in line]
        record.best = {"step": best[0], "validation": known[0] if known else validate(best[1])}
    return record


def mend(folder: RunFolder, record: Record, warn: Warn) -> None:
    """Make all files what they were when the last checkpoint, with this record, was saved. Says what was damaged: what
    a crash left is no damage."""
    for path in [*folder.last.set_aside_damaged(after=record.step), *folder.best.set_aside_damaged()]:
        warn(f"a damaged checkpoint is kept as {path}")
    folder.last.prune(record.is_passing)
    if folder.write_metrics(record.lines):
        warn("metrics.jsonl was damaged, and was written again from the checkpoint")
    if record.best is None:
        return
    step = record.best["step"]
    if step not in folder.best.steps() and step in folder.last.steps():
        folder.best.copy_from(folder.last, step)
    if step in folder.best.steps():
        folder.best.keep_only(step)
    else:
        warn(f"the best checkpoint, of step {step}, is missing or damaged")


def warn_of_changes(then: dict[str, str], now: dict[str, str], warn: Warn) -> None:
    """Say which versions and devices are not those that wrote the checkpoint."""
    for name in sorted(then.keys() & now.keys()):
        if then[name] != now[name]:
            warn(f"{name} was {then[name]} and is {now[name]}; results may differ in their last digits")


__all__ = ["mend", "record_of", "warn_of_changes"]
