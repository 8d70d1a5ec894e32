"""The run folders in ``runs``, where `train` makes them, as rows of a table."""

import fnmatch
import math
import statistics
from pathlib import Path
from typing import Any

from rnnzoo.commands.configs import cell_in_words
from rnnzoo.spec import UsageError
from rnnzoo.training.run_folder import RunFolder

FOLDER = Path("runs")


def rows(pattern: str = "*") -> list[dict[str, str]]:
    """One row for each run of the current folder whose name matches the pattern. A run that cannot be read has a row
    that says why."""
    paths = sorted(path for path in FOLDER.glob("*") if fnmatch.fnmatch(path.name.lower(), pattern.lower()))
    return [_row(RunFolder(path)) for path in paths if RunFolder(path).is_run()]


def _row(folder: RunFolder) -> dict[str, str]:
    row = {"name": folder.path.as_posix()} | dict.fromkeys(("task", "cell", "step", "steps", "score"), "-")
    try:
        config, lines = folder.config(), [line for line in folder.records() if isinstance(line, dict)]
    except UsageError as error:
        return row | {"what": str(error).splitlines()[0]}
    metric, step = config.task.metric, max((line.get("step", 0) for line in lines), default=0)
    score, part = _last_score(lines, metric)
    ended = (folder.path / "final.json").is_file()
    return row | {
        "task": type(config.task).__name__,
        "cell": cell_in_words(config.cell),
        "step": f"{step:,}",
        "steps": f"{config.steps:,}",
        "score": f"{score:.4g}" if math.isfinite(score) else "-",
        "what": f"{metric} of the {part} part" + ("" if ended else ", has not ended"),
    }


def _last_score(lines: list[Any], metric: str) -> tuple[float, str]:
    """The median over the seeds at the last evaluation, NaN if there was none; and of which part of the data."""
    for line in reversed(lines):
        for key, part in (("scores", "test"), ("validation", "validation")):
            if metric in line.get(key, {}):
                return statistics.median(line[key][metric]), part
    return math.nan, "validation"


__all__ = ["rows"]
