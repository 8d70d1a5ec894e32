"""A short run, its clean twin, and whether two run folders say the same."""

import dataclasses
import io
import json
import re
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from rnnzoo import cells, structures, tasks
from rnnzoo.training.config import Config
from rnnzoo.training.job import Job, Stopped
from rnnzoo.training.progress import Progress
from rnnzoo.training.run_folder import RunFolder

CONFIG = Config(
    task=tasks.BinaryAddition(bits=4),
    cell=cells.Elman(hidden_size=5, structure=structures.Diagonal()),
    lr=0.1,
    batch_size=4,
    steps=12,
    log_every=2,
    eval_every=3,
    seed=5,  # the best step is the third of four, after two others had been the best
)
HASHES = {"files", "sha256"}  # of a record, which has times
TIMES = {"seconds", "solved_seconds", "steps_per_second", "environment"}


def train(path: Path, config: Config = CONFIG) -> str:
    """Run or resume, and return what was said."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        Job(config, path, Progress(config)).run()
    return said.getvalue()


def train_slowly(path: str) -> None:
    """As a command does, with a pause at each line, so that a kill at a random time often meets the run."""
    from rnnzoo.commands.exits import EXIT_STOPPED, guarded, leave

    def run(args: list[str]) -> int:
        progress = Progress(CONFIG)
        step = progress.step

        def slowly(record: Any, scores: Any) -> None:
            step(record, scores)
            time.sleep(0.05)

        progress.step = slowly
        try:
            Job(CONFIG, Path(path), progress).run()
        except Stopped:
            return EXIT_STOPPED
        return 0

    leave(guarded(run)([]))


def contents(path: Path) -> dict[str, Any]:
    """All that a run folder says, without times: its files by name. Its checkpoints must be intact."""
    found: dict[str, Any] = {}
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        name = file.relative_to(path).as_posix()
        if name.endswith("manifest.json"):
            found[name] = {k: v for k, v in json.loads(file.read_text()).items() if k not in HASHES}
        elif name.endswith(".json"):
            found[name] = _timeless(json.loads(file.read_text()))
        elif name.endswith(".jsonl"):
            found[name] = [_timeless(json.loads(line)) for line in file.read_text().splitlines()]
        elif name == "curves.png":
            found[name] = len(file.read_bytes()) > 1000
        else:
            found[name] = None if name == "lock" else file.read_bytes()
    folder = RunFolder(path)
    for checkpoints in (folder.last, folder.best):
        for step in checkpoints.steps():
            assert checkpoints.damage(step) is None, f"{checkpoints.folder / str(step)} is damaged"
    return found


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k not in TIMES}
    return [_timeless(v) for v in value] if isinstance(value, list) else value


def differences(twin: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The files in which two runs differ."""
    return sorted(name for name in twin.keys() | other.keys() if twin.get(name, 0) != other.get(name, 0))


def strays(path: Path) -> list[str]:
    """What a crash has left in a run folder."""
    odd = re.compile(r"(^|/)(\.|damaged-)|tmp")
    return sorted(n for p in path.rglob("*") if odd.search(n := p.relative_to(path).as_posix()))


def changed(**fields: Any) -> Config:
    return dataclasses.replace(CONFIG, **fields)


Action = Callable[[], Any]
