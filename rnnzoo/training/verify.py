"""Whether a run folder is what was written: each of its files against run.json, the manifests and the record."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rnnzoo.disk import read_json, read_text
from rnnzoo.spec import UsageError
from rnnzoo.training.begun import RUN, parts_of
from rnnzoo.training.checkpoints import Checkpoints
from rnnzoo.training.definitions import DEFINITIONS
from rnnzoo.training.record import Record, finite
from rnnzoo.training.results import of_seeds
from rnnzoo.training.run_folder import METRICS, RunFolder


class Finding(NamedTuple):
    """What was found about one file or checkpoint."""

    name: str
    wrong: str | None
    """What is wrong with it; None if it is as it was written."""


def verify(path: Path) -> list[Finding]:
    """Check all of a run folder. Changes nothing.

    Raises:
        UsageError: it is no run folder.
    """
    folder = RunFolder(path)
    if not path.is_dir() or not folder.is_run():
        raise UsageError(f"{path} is no run folder")
    return [*_beginning(folder), *_checkpoints(folder), *_derived(folder), *_strays(folder)]


def _beginning(folder: RunFolder) -> Iterator[Finding]:
    try:
        begun = folder.begun()
    except UsageError as error:
        yield Finding(RUN, str(error))
        return
    if begun is None:
        yield Finding(RUN, "it is not there: the first edition began the run, and its configuration has no checksum")
        return
    yield Finding(RUN, None)
    for name, text in parts_of(begun).items():
        file = folder.path / name
        if not file.exists():
            yield Finding(name, "it is missing; it is written again when the run goes on")
        elif name != DEFINITIONS:
            yield Finding(name, None if _text(file) == text else f"it is not what {RUN} says")


def _text(file: Path) -> str | None:
    try:
        return read_text(file)
    except UsageError:
        return None


def _checkpoints(folder: RunFolder) -> Iterator[Finding]:
    for kind, checkpoints in _kinds(folder):
        for step in checkpoints.steps():
            yield Finding(f"checkpoints/{kind}/{step}", checkpoints.damage(step))
    if not folder.last.steps() and folder.has_saved():
        yield Finding("checkpoints/last", "it has no checkpoint")


def _kinds(folder: RunFolder) -> list[tuple[str, Checkpoints]]:
    return [("last", folder.last), ("best", folder.best)]


def _derived(folder: RunFolder) -> Iterator[Finding]:
    """What follows from the record of the newest intact checkpoint."""
    intact = [step for step in folder.last.steps() if folder.last.damage(step) is None]
    data = folder.last.record(intact[0]) if intact else None
    if data is None:
        return
    record = Record.from_json(data, f"checkpoints/last/{intact[0]}")
    lines = "".join(json.dumps(finite(line)) + "\n" for line in record.lines)
    is_prefix = (_text(folder.path / METRICS) or "").startswith(lines)
    yield Finding(METRICS, None if is_prefix else f"it is not what the checkpoint of step {record.step} says")
    if record.best is not None and record.best["step"] not in folder.best.steps():
        yield Finding("checkpoints/best", f"it has not step {record.best['step']}, which is the best")
    if (folder.path / "final.json").exists():
        yield Finding("final.json", _wrong_results(folder.path / "final.json", record))


def _wrong_results(file: Path, record: Record) -> str | None:
    try:
        final: Any = read_json(file)
    except UsageError as error:
        return str(error)
    scores = record.lines[-1].get("scores") if record.lines else None
    expected = None if scores is None else finite(of_seeds(scores))
    same = isinstance(final, dict) and (expected is None or final.get("metrics") == expected)
    return None if same else f"its scores are not those of the checkpoint of step {record.step}"


def _strays(folder: RunFolder) -> Iterator[Finding]:
    for _, checkpoints in _kinds(folder):
        for left in checkpoints.left():
            yield Finding(str(left.relative_to(folder.path.absolute())), "a crash or damage has left it")


__all__ = ["Finding", "verify"]
